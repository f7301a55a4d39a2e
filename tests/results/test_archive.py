"""The archive: filled, read, restored, and compared with what was trained again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnncells.jobs.errors import UserError
from rnncells.jobs.files import write_json
from rnncells.random.streams import stream
from rnncells.results import archive, verify
from rnncells.results.agreement import differences
from rnncells.results.archive import find, record, restore
from rnncells.results.runs import write_run
from rnncells.study.plan import resolve
from rnncells.training.loop import train
from tests.tiny import RUN as TINY_RUN
from tests.tiny import configuration

CONFIG = configuration()
RUN = f"tiny/{TINY_RUN}/seeds=0-1"


@pytest.fixture(scope="module")
def plan():
    """Return the plan of the tiny study."""
    return resolve(CONFIG)


@pytest.fixture(scope="module")
def results(tmp_path_factory, plan):
    """Train the tiny study, and put into ``results/`` what else a workflow would."""
    results = tmp_path_factory.mktemp("workflow") / "results"
    run = results / "runs" / RUN
    run.mkdir(parents=True)
    spec = plan["tiny"].spec("TRNN", 6, "hidden=4", 1)
    values = [{"lr": 0.01, "p": 3, "tau": 10.0}] * 2
    result = train(spec, [0, 1], values, plan["tiny"].data.make())
    files = {"metrics": "metrics.parquet", "examples": "examples.parquet", "run": "run.json"}
    write_run(
        result,
        seeds=[0, 1],
        hyperparameters=values,
        parameters=spec.model_dump(),
        code={"cpu": "x"},
        **{name: run / file for name, file in files.items()},
    )
    others = (
        "searches/tiny/cell=TRNN/optimum.json",
        "searches/tiny/cell=TRNN/journal/x.csv",
        "runs/tiny/.lock",
        "runs/other/run.json",
        "tables/tiny/summary.csv",
        "figures/tiny/capacity.png",
        "figures/tiny/capacity.pdf",
        "overall/small/scorecard.csv",
    )
    for name in others:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("{}")
    return results


@pytest.fixture(scope="module")
def folder(tmp_path_factory, plan, results):
    """Archive the tiny study."""
    folder = tmp_path_factory.mktemp("archive")
    assert record(results, plan, folder / "small") == 1
    return folder


def names(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


COMPUTED = {
    *(f"runs/{RUN}/{name}" for name in ("run.json", "metrics.parquet", "examples.parquet")),
    "searches/tiny/cell=TRNN/optimum.json",
}


def test_what_was_computed_and_what_is_shown_is_archived(folder, results):
    assert names(folder / "small") == COMPUTED | {
        "data/tiny.json",
        "tables/tiny/summary.csv",
        "figures/tiny/capacity.png",
        "overall/small/scorecard.csv",
    }
    metrics = pd.read_parquet(results / f"runs/{RUN}/metrics.parquet")
    pd.testing.assert_frame_equal(find(folder).metrics, metrics)


def test_what_is_recorded_again_replaces_what_was_there(tmp_path, plan, results):
    (tmp_path / "small").mkdir()
    (tmp_path / "small/old.csv").touch()
    record(results, plan, tmp_path / "small")
    assert not (tmp_path / "small/old.csv").exists()


def test_results_are_restored_older_than_what_follows_from_them(tmp_path, folder, plan):
    assert restore(folder / "small", plan, tmp_path) == len(COMPUTED)
    assert names(tmp_path) == COMPUTED | {"data/tiny/data.npy"}
    np.testing.assert_array_equal(
        np.load(tmp_path / "data/tiny/data.npy"), plan["tiny"].data.make()
    )
    files = ("data/tiny/data.npy", "searches/tiny/cell=TRNN/optimum.json", f"runs/{RUN}/run.json")
    times = [(tmp_path / file).stat().st_mtime for file in files]
    assert times == sorted(set(times))


def test_a_restoration_leaves_what_is_there(tmp_path, folder, plan):
    own = tmp_path / f"runs/{RUN}/run.json"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    assert restore(folder / "small", plan, tmp_path) == len(COMPUTED) - 1
    assert own.read_text() == "mine"


def test_the_command_says_what_is_archived(tmp_path, folder, capsys):
    config = tmp_path / "config"
    config.mkdir()
    for name in ("small", "large"):
        write_json(config / f"{name}.yaml", CONFIG)  # JSON is YAML
    arguments = ["--folder", str(folder), "--results", str(tmp_path / "results")]
    assert archive.main(["restore", str(config / "small.yaml"), *arguments]) == 0
    assert f"{len(COMPUTED)} files" in capsys.readouterr().out
    assert archive.main(["restore", str(config / "large.yaml"), *arguments]) == 2
    assert "there is: small" in capsys.readouterr().err


def test_a_run_trained_again_agrees_to_the_last_bit(folder, capsys):
    assert verify.main(["--folder", str(folder)]) == 0
    assert "agrees to the last bit" in capsys.readouterr().out
    assert verify.main([f"small/{RUN}", "--folder", str(folder)]) == 0


@pytest.mark.parametrize(
    ("change", "processor", "code"),
    [(1e-12, None, 1), (1e-12, "another", 0), (0.5, "another", 1)],
)
def test_a_difference_is_told_by_the_exit_code(
    results, plan, tmp_path, capsys, change, processor, code
):
    record(results, plan, tmp_path / "small")
    run = tmp_path / "small/runs" / RUN
    table = pd.read_parquet(run / "metrics.parquet")
    loss = table.index[table["metric"] == "train_loss"][3]
    table.loc[loss, "value"] *= 1 + change
    table.to_parquet(run / "metrics.parquet")
    made = json.loads((run / "run.json").read_text())
    made["processor"] = processor or made["processor"]
    (run / "run.json").write_text(json.dumps(made))
    assert verify.main(["--folder", str(tmp_path)]) == code
    out = capsys.readouterr().out
    assert ("train_loss" in out) == bool(code)
    assert ("within the tolerance for processor" in out) == bool(processor)


def test_an_unknown_run_is_answered_with_what_there_is(folder, tmp_path, capsys):
    with pytest.raises(UserError, match="did you mean"):
        find(folder, f"small/{RUN}".replace("TRNN", "TRN"))
    assert verify.main(["--folder", str(tmp_path)]) == 2
    assert "make record" in capsys.readouterr().err


def table(values, metric="sequences", position=0):
    rows = [(seed, metric, position, float(value)) for seed, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["seed", "metric", "position", "value"])


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
