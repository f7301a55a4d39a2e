"""Where results come from."""

from pathlib import Path

import pandas as pd
import torch

from rnncells.jobs.files import write_json
from rnncells.results import provenance
from rnncells.results.tables import gather_provenance

ROOT = Path(__file__).parents[2]


def test_the_provenance_of_jobs_is_one_row_each(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNCELLS_CONFIG_HASH", "0123abcd")
    git = {"commit": "f00", "dirty": True}
    monkeypatch.setattr(provenance, "git_state", lambda: git)
    made = provenance.record(
        rule="train",
        parameters={"task": "copy_first_input"},
        seeds=[0, 1, 2, 7],
        seconds=1.5,
        device="cpu",
        resumed=2,
        attempt=3,
    )
    file = tmp_path / "cell=GRU/length=5/hidden=6/layers=2/seeds=0-2+7/run.json"
    file.parent.mkdir(parents=True)
    write_json(file, made)
    monkeypatch.setattr(provenance, "git_state", lambda: None)  # outside git
    own = provenance.record(rule="aggregate", parameters={}, seeds=[], seconds=0.1)
    table = gather_provenance([file], own)
    first, last = table.to_dict("records")
    assert (first["cell"], first["length"], first["hidden"], first["layers"]) == ("GRU", 5, 6, 2)
    assert (first["seeds"], first["config_hash"]) == ("0-2+7", "0123abcd")
    assert (first["commit"], first["dirty"]) == ("f00", True)
    assert (first["retries"], first["resumed"], first["seconds"]) == (2, 2, 1.5)
    assert first["torch"] == torch.__version__
    assert last["rule"] == "aggregate"
    assert pd.isna(last["length"])
    assert last["commit"] is None or pd.isna(last["commit"])


def test_a_figures_file_names_commit_and_configuration(monkeypatch):
    monkeypatch.setenv("RNNCELLS_CONFIG_HASH", "0123abcd")
    monkeypatch.setattr(provenance, "git_state", lambda: {"commit": "f00", "dirty": True})
    assert provenance.source().endswith("commit f00 with changes, configuration 0123abcd")
