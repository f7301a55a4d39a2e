"""Seeds in file names, source files of results, costs, files of the environment."""

import re
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from rnncells import provenance
from rnncells.catalogue import cells, describe_cell
from rnncells.cells import CELLS
from rnncells.costs import gather_costs
from rnncells.files import DamagedFile, write_json, write_table
from rnncells.index import study_page
from rnncells.runs import read_optimum
from rnncells.seeds import chunks, label, parse
from rnncells.sources import depends_on
from rnncells.tables import gather_provenance, gather_tables, provenance_page
from rnncells.trials import tried_configurations

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([0], "0"), ([0, 1, 2], "0-2"), ([9, 3, 7, 8], "3+7-9"), ([1, 3], "1+3")],
)
def test_labels_name_seeds(seeds, text):
    assert label(seeds) == text
    assert parse(text) == sorted(seeds)


@pytest.mark.parametrize(
    "text", ["", "a", "2-1", "1+2", "0-", "01", "0-99999999999", "1" * 5000, "0-1+" * 50, "-1"]
)
def test_other_texts_are_no_labels(text):
    with pytest.raises(ValueError, match=r"seeds|int"):
        parse(text)


def test_new_seeds_are_new_jobs_and_old_jobs_stay():
    assert chunks(range(7), 3) == ["0-2", "3-5", "6"]
    assert chunks(range(9), 3, ["0-2", "3-4"]) == ["0-2", "3-4", "5-7", "8"]
    assert chunks([0, 1], 3, ["0-2"]) == ["0-1"]  # a job with a seed too many is not used
    assert chunks(range(4), 2, ["0-1", "1-2", "x"]) == ["0-1", "2-3"]
    assert chunks([5, 1], 1) == ["1", "5"]
    with pytest.raises(ValueError, match="seeds_per_job"):
        chunks(range(0, 200, 2), 100)
    assert len(chunks(range(0, 200, 2), 40)) == 3


def test_planning_is_stable_while_jobs_finish():
    planned = chunks([3, 9, 1, 0, 2, 7], 2)
    for done in range(len(planned) + 1):
        assert chunks([3, 9, 1, 0, 2, 7], 2, planned[:done]) == planned
    assert chunks(range(12), 1, ["11", "2", "10"]) == [str(seed) for seed in range(12)]


def test_the_catalogue_says_of_cells_what_their_classes_say():
    assert set(cells()) == set(CELLS)
    for name, made in CELLS.items():
        described = describe_cell(name)
        assert described.module == made.__module__
        assert described.search_space == made.search_space
        assert described.constants.get("causes", False) == made.causes
        assert described.constants.get("trainable", True) == made.trainable
    assert list(describe_cell("PC-RNN-GC-HC-M").options) == ["tau", "factors"]
    assert not describe_cell("sRNN").options
    assert describe_cell("PC-RNN-GC").limits == {"tau": (1.0, inf), "alpha_h_prime": (0.0, inf)}
    assert describe_cell("ESN").limits["connectivity"] == (0.0, 1.0)


def test_results_depend_on_the_files_that_they_import():
    files = {Path(file).name for file in depends_on("rnncells.cells.esn")}
    assert files == {"esn.py", "base.py", "initial.py"}
    assert "leaky.py" in {Path(file).name for file in depends_on("rnncells.cells.predictive")}
    training = {Path(file).name for file in depends_on("rnncells.training")}
    assert {"training.py", "rnn.py", "streams.py", "optimiser.py"} <= training
    assert not training & {"gru.py", "figures.py", "search.py", "binary_addition.py"}


def test_a_users_cell_depends_on_its_neighbours(tmp_path, monkeypatch):
    sources = {
        "mine/cells.py": "import torch, beside\nfrom . import near\nfrom rnncells import Cell",
        "mine/near.py": "from .deep.far import x",
        "mine/deep/far.py": "from ..last import y",
        "mine/last.py": "import mine.cells, mine.wrong",
        "mine/wrong.py": "def (",
        "mine/other.py": "",
        "beside.py": "import json",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    found = list(map(Path, depends_on("mine.cells")))
    others = {file.parent.name for file in found if file.is_absolute()}
    assert {str(file) for file in found if not file.is_absolute()} == {*sources} - {"mine/other.py"}
    assert others <= {"rnncells"}


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        ("{}", "'values'"),
        ('{"values": {}}', "its values are {}"),
        ('{"values": {"lr": NaN}}', "nan"),
        ('{"values": {"lr": "fast"}}', "str"),
        ('{"values": 3}', "int"),
    ],
)
def test_a_damaged_optimum_is_refused_by_its_name(tmp_path, content, fragment):
    file = tmp_path / "optimum.json"
    file.write_text('{"values": {"p": 3, "lr": 0.1}}')
    assert read_optimum(file) == {"p": 3, "lr": 0.1}
    file.write_text(content)
    with pytest.raises(DamagedFile, match=f"^{file}: is damaged .*{fragment}"):
        read_optimum(file)


def test_the_page_of_a_study_shows_its_figures():
    folder = Path("results/figures/search")
    run = "search/cell=mine:Cell/length=5/hidden=6/layers=1"
    figures = [
        f"{folder}/{name}.{kind}" for name in ("training_loss", run) for kind in ("pdf", "png")
    ]
    protocol = {"task": "some", "seeds": 3, "source": "hyperparameters: search", "reduced": []}
    page = study_page("search", folder, figures, protocol)
    assert "## training loss\n\n![training loss](training_loss.png)\n" in page
    assert "## search cell=mine:Cell length=5 hidden=6 layers=1\n" in page
    assert f"]({run}.png)" in page
    assert ".pdf" not in page


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
    page = provenance_page(table, "a study")
    assert "<td>0-2+7</td>" in page
    assert page.count("<tr") == 3


def test_a_figures_file_names_commit_and_configuration(monkeypatch):
    monkeypatch.setenv("RNNCELLS_CONFIG_HASH", "0123abcd")
    monkeypatch.setattr(provenance, "git_state", lambda: {"commit": "f00", "dirty": True})
    assert provenance.source().endswith("commit f00 with changes, configuration 0123abcd")


def test_costs_are_added_up_per_study_and_rule(tmp_path):
    jobs = [("train", 2.0, 100), ("search", 5.0, 50), ("train", 4.0, 300), ("train", 9.0, 200)]
    files = []
    for study, few in (("s", jobs), ("t", jobs[:1])):
        files.append(tmp_path / f"{study}/provenance.parquet")
        files[-1].parent.mkdir()
        table = pd.DataFrame(few, columns=["rule", "seconds", "peak_memory_mb"])
        write_table(table, files[-1])
    costs = gather_costs(files).set_index(["study", "rule"])
    assert costs["jobs"].to_dict() == {("s", "search"): 1, ("s", "train"): 3, ("t", "train"): 1}
    row = costs.loc["s", "train"]
    assert (row["seconds_total"], row["seconds_median"], row["seconds_max"]) == (15, 4, 9)
    assert row["memory_mb_max"] == 300


def test_axes_come_from_the_path(tmp_path):
    file = tmp_path / "cell=PC-RNN-V/length=7/hidden=3/layers=2/seeds=0-1/metrics.parquet"
    file.parent.mkdir(parents=True)
    pd.DataFrame({"seed": [0, 1], "value": [1.0, 2.0]}).to_parquet(file)
    table = gather_tables([file])
    assert table.iloc[1].tolist() == ["PC-RNN-V", 7, 3, 2, 1, 2.0]


@pytest.mark.parametrize(
    ("task", "settings", "metric"),
    [
        (
            "copy_first_input",
            {"train_sequences": 20, "test_sequences": 10, "epochs": 1, "batch_size": 10}
            | {"stop_below": 0.1},
            "final_test_mse",
        ),
        (
            "binary_addition",
            {"first_length": 3, "epochs_per_length": 1, "samples_per_epoch": 10}
            | {"batch_size": 10, "test_length": 5, "test_samples": 10},
            "mean_accuracy",
        ),
    ],
)
def test_every_task_can_be_searched(task, settings, metric):
    """A search of the learning rate on the tasks that the published studies do not search."""
    evaluate = tried_configurations(
        metric,
        task=task,
        cell="TRNN",
        length=4,
        hidden_size=4,
        layers=1,
        options={},
        settings=settings | {"readout": "gradient", "ridge": 1e-6},
        device="cpu",
    )
    values = [{"lr": 0.01, "tau": 2.0}, {"lr": 1e30, "tau": 3.0}]
    good, bad = evaluate(values, [[1, 2], [3, 4]])
    assert len(good.tries) == len(bad.tries) == 2
    assert np.isfinite(good.score)
    assert np.isfinite(good.tries).all()
    assert np.isfinite(bad.score)
    alone = evaluate(values[:1], [[1, 2]])[0]
    assert alone.score == pytest.approx(good.score, rel=1e-4, abs=1e-4)


def lock() -> dict[str, str]:
    text = (ROOT / "envs/requirements.lock").read_text()
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", text, re.M))
    return {name.lower().replace("_", "-"): version for name, version in pins.items()}


def test_the_conda_environment_has_the_versions_of_the_lock():
    parts = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())["dependencies"]
    pip = next(part["pip"] for part in parts if isinstance(part, dict))
    pins = [
        re.fullmatch(r"([\w-]+)={1,2}([\d.]+)", part) for part in parts if isinstance(part, str)
    ]
    pins += [re.fullmatch(r"([\w-]+)==([\d.]+)", part) for part in pip]
    compared = 0
    for pin in filter(None, pins):
        name = {"pytorch": "torch"}.get(pin[1], pin[1])
        if name != "python":
            assert lock()[name] == pin[2], name
            compared += 1
    assert compared >= 15


def test_the_lock_pins_every_direct_dependency():
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("dependencies") : text.index("[tool")]
    names = re.findall(r'"([a-z0-9-]+)>=', block)
    assert len(names) > 12
    assert [name for name in names if name not in lock()] == []
    assert "requirements.lock" in (ROOT / "envs/rnncells.def").read_text()
