"""Reference results: written, read, and compared with what was trained again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnncells.jobs.errors import UserError
from rnncells.random.streams import stream
from rnncells.results import verify
from rnncells.results.reference import differences, find, kept, write_references
from rnncells.results.runs import write_run
from rnncells.study.plan import resolve
from rnncells.training.loop import train

ROOT = Path(__file__).parents[2]
CONFIG = {
    "device": "cpu",
    "studies": {
        "tiny": {
            "task": "trajectory_generation",
            "cells": ["TRNN"],
            "lengths": [6],
            "hidden_sizes": [4],
            "seeds": 2,
            "data": {"trajectories": 5, "points": 60, "via_points": [3, 4]},
            "hyperparameters": {"values": {"lr": 0.01, "p": 3}},
            "training": {"iterations": 30},
        }
    },
}
RUN = "tiny/cell=TRNN/length=6/hidden=4/layers=1/seeds=0-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Train the tiny study, and write its reference results."""
    folder = tmp_path_factory.mktemp("reference")
    plan = resolve(CONFIG)
    run = folder / "results/runs" / RUN
    run.mkdir(parents=True)
    spec = plan["tiny"].spec("TRNN", 6, "hidden=4", 1)
    values = [{"lr": 0.01, "p": 3, "tau": 10.0}] * 2
    result = train(spec, [0, 1], values, plan["tiny"].data.make())
    files = {"metrics": "metrics.parquet", "examples": "examples.parquet", "run": "run.json"}
    paths = {name: run / file for name, file in files.items()}
    write_run(
        result,
        seeds=[0, 1],
        hyperparameters=values,
        parameters=spec.model_dump(),
        code={"cpu": "x"},
        **paths,
    )
    assert write_references(folder / "results", plan, folder / "kept") == [RUN]
    return folder / "kept"


def test_a_reference_keeps_the_first_losses_and_the_results(folder):
    metrics = find(folder).metrics
    assert metrics.query("metric == 'train_loss'")["position"].max() == 20
    assert set(metrics["metric"]) == {"train_loss", "sequences", "p", "score"}
    assert set(metrics["seed"]) == {0, 1}
    assert metrics["value"].notna().all()


def test_a_run_trained_again_agrees_to_the_last_bit(folder, capsys):
    assert verify.main(["--folder", str(folder)]) == 0
    assert "agrees to the last bit" in capsys.readouterr().out
    assert verify.main([RUN, "--folder", str(folder)]) == 0


@pytest.mark.parametrize(
    ("change", "processor", "code"),
    [(1e-12, None, 1), (1e-12, "another", 0), (0.5, "another", 1)],
)
def test_a_difference_is_told_by_the_exit_code(folder, tmp_path, capsys, change, processor, code):
    kept_here = tmp_path / "tiny"
    kept_here.mkdir()
    table = pd.read_csv(folder / "tiny/metrics.csv")
    loss = table.index[table["metric"] == "train_loss"][3]
    table.loc[loss, "value"] *= 1 + change
    table.to_csv(kept_here / "metrics.csv", index=False)
    records = json.loads((folder / "tiny/runs.json").read_text())
    records[RUN]["processor"] = processor or records[RUN]["processor"]
    (kept_here / "runs.json").write_text(json.dumps(records))
    assert verify.main(["--folder", str(tmp_path)]) == code
    out = capsys.readouterr().out
    assert ("train_loss" in out) == bool(code)
    assert ("within the tolerance for processor" in out) == bool(processor)


def test_an_unknown_run_is_answered_with_what_there_is(folder, tmp_path, capsys):
    with pytest.raises(UserError, match="did you mean"):
        find(folder, RUN.replace("TRNN", "TRN"))
    assert verify.main(["--folder", str(tmp_path)]) == 2
    assert "make record" in capsys.readouterr().err


def table(values, metric="sequences", position=0):
    rows = [(seed, metric, position, float(value)) for seed, value in enumerate(values)]
    return kept(pd.DataFrame(rows, columns=["seed", "metric", "position", "value"]))


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (4.0, True), (40.0, False)])
def test_elsewhere_the_main_metric_may_differ_by_its_spread(shift, agrees):
    values = 50 + stream(0, "reference test").standard_normal(5)
    found = differences(table(values), table(values + shift), "sequences", exact=False)
    assert (not found) == agrees


def test_a_missing_number_is_a_difference():
    before = table([1.0, 2.0])
    assert differences(before, before[:1], "sequences", exact=True)
    assert differences(before, before[:0], "sequences", exact=False)
    losses = table([1.0, 2.0], "train_loss", 1)
    both = pd.concat([before, losses])
    assert differences(both, before, "sequences", exact=False)
    same = table([np.nan, 2.0])
    assert not differences(same, same, "sequences", exact=True)
