"""The workflow end to end, on a tiny configuration in a copy of the project."""

import copy
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]

TINY = {
    "device": "cpu",
    "studies": {
        "copy": {
            "task": "copy_first_input",
            "cells": ["GRU", "BRC"],
            "lengths": [5],
            "hidden_sizes": [6],
            "layers": [2],
            "seeds": 2,
            "training": {"train_sequences": 200, "test_sequences": 50, "epochs": 2},
        },
        "addition": {
            "task": "binary_addition",
            "cells": ["nBRC"],
            "lengths": [4],
            "hidden_sizes": [6],
            "layers": [1, 2],
            "seeds": 2,
            "training": {
                "samples_per_epoch": 400,
                "epochs_per_length": 1,
                "test_length": 6,
                "test_samples": 50,
            },
        },
        "capacity": {
            "task": "trajectory_generation",
            "cells": ["TRNN", "ESN"],
            "lengths": [10],
            "hidden_sizes": [6],
            "seeds": 2,
            "data": {"trajectories": 8, "points": 100, "via_points": [3, 5]},
            "hyperparameters": {
                "source": "search",
                "search": {
                    "configurations": 5,
                    "initial": 2,
                    "batch": 2,
                    "space": {"p": [1, 6]},
                },
            },
            "training": {"iterations": 30},
            "per_cell": {"ESN": {"training": {"readout": "ridge"}, "hidden_sizes": [10]}},
        },
    },
}


class Project:
    """A copy of the project whose workflow is run by commands, as a user would."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("src", "workflow", "config", "envs"):
            shutil.copytree(
                ROOT / name,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".snakemake"),
            )
        self.environment = os.environ | {"PYTHONPATH": str(folder / "src")}

    def snakemake(self, config: dict | str, *arguments: str) -> subprocess.CompletedProcess:
        if isinstance(config, dict):
            (self.folder / "test.yaml").write_text(yaml.safe_dump(config))
            config = "test.yaml"
        command = [sys.executable, "-m", "snakemake", "--configfile", config, "--cores", "2"]
        return subprocess.run(
            [*command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
        )

    def planned(self, config: dict | str, *rules: str) -> Counter:
        """Return the jobs that would run, as (rule, cell, length, hidden, seeds)."""
        done = self.snakemake(config, "--dry-run")
        assert done.returncode == 0, done.stdout
        jobs = Counter()
        for block in re.split(r"\n\[", done.stdout):
            rule = re.search(r"^(?:local)?rule (\w+):", block, re.M)
            if rule and (not rules or rule[1] in rules):
                wildcards = re.search(r"^ +wildcards: (.*)$", block, re.M)
                pairs = (
                    dict(part.split("=", 1) for part in wildcards[1].split(", "))
                    if wildcards
                    else {}
                )
                pairs |= dict([pairs["size"].split("=")]) if "size" in pairs else {}
                axes = ("cell", "length", "hidden", "layers", "seeds")
                jobs[(rule[1], *(pairs.get(axis, "") for axis in axes))] += 1
        return jobs


COMPUTING = ("train", "search", "optimum", "data")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    done = made.snakemake(TINY)
    assert done.returncode == 0, done.stdout
    made.output = done.stdout
    return made


def changed(**studies) -> dict:
    """Return the tiny configuration with keys of its studies replaced."""
    config = copy.deepcopy(TINY)
    for study, keys in studies.items():
        config["studies"][study] |= keys
    return config


def test_every_figure_and_table_is_there(project):
    results = project.folder / "results"
    for name in (
        "figures/copy/training_loss",
        "figures/copy/scores",
        "figures/addition/accuracy",
        "figures/capacity/capacity",
        "figures/capacity/trajectories",
        "figures/capacity/search/cell=TRNN/length=10/hidden=6/layers=1",
        "figures/capacity/search/cell=ESN/length=10/hidden=10/layers=1",
        "overall/test/cost",
    ):
        assert (results / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (results / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    for study in TINY["studies"]:
        page = (results / f"figures/{study}/README.md").read_text()
        linked = re.findall(r"\]\((.*?)\)", page)
        assert linked
        assert all((results / "figures" / study / file).exists() for file in linked)
        tables = {
            table: pd.read_parquet(results / f"tables/{study}/{table}.parquet")
            for table in ("metrics", "examples", "runs", "summary", "comparisons")
        }
        # Only copy has two cells of the same size.
        assert tables.pop("comparisons").empty == (study != "copy")
        assert not any(table.empty for table in tables.values())


def test_the_scorecard_has_all_claims_and_says_what_departs_from_the_publications(project):
    folder = project.folder / "results/overall/test"
    table = pd.read_csv(folder / "scorecard.csv")
    claims = pd.read_csv(ROOT / "src/rnncells/published/claims.csv")
    assert list(table["claim"]) == list(claims["claim"])
    assert set(table["verdict"]) == {"not run", "not comparable"}
    assert (folder / "scorecard.png").exists()
    assert "make figures CONFIG=config/paper.yaml" in (folder / "README.md").read_text()


def test_the_tables_hold_what_the_studies_asked_for(project):
    tables = project.folder / "results/tables"
    loss = pd.read_parquet(tables / "copy/metrics.parquet").query("metric == 'train_loss'")
    assert set(loss.groupby(["cell", "seed"]).size()) == {4}  # 2 epochs of 2 batches
    accuracy = pd.read_parquet(tables / "addition/summary.parquet").query("metric == 'accuracy'")
    assert sorted(set(accuracy["position"])) == [3, 4, 5, 6]
    assert set(accuracy["n"]) == {2}
    runs = pd.read_parquet(tables / "capacity/runs.parquet")
    for cell, hidden in (("TRNN", 6), ("ESN", 10)):
        where = f"searches/capacity/cell={cell}/length=10/hidden={hidden}/layers=1"
        optimum = json.loads((tables.parent / where / "optimum.json").read_text())
        rows = runs[runs["cell"] == cell]
        assert sorted(rows["seed"]) == [0, 1]
        assert rows["tau"].tolist() == pytest.approx([optimum["values"]["tau"]] * 2)
        assert len(pd.read_csv(tables.parent / where / "observations.csv")) == 5


def test_run_files_say_where_the_numbers_come_from(project):
    file = "results/runs/copy/cell=BRC/length=5/hidden=6/layers=2/seeds=0-1/run.json"
    record = json.loads((project.folder / file).read_text())
    assert record["parameters"]["cell"] == "BRC"
    assert [member["seed"] for member in record["members"]] == [0, 1]
    assert record["versions"]["torch"]
    assert record["device"] == "cpu"
    assert record["seconds"] > 0
    assert record["processor_seconds"] > 0
    assert record["peak_memory_mb"] > 10
    assert (record["seeds"], record["retries"], record["resumed"]) == ([0, 1], 0, 0)


def test_every_table_and_figure_says_where_it_comes_from(project):
    results = project.folder / "results"
    table = pd.read_csv(results / "tables/capacity/provenance.csv")
    jobs = ["aggregate", *["optimum"] * 2, *["search"] * 2, *["train"] * 2]
    assert sorted(table["rule"]) == jobs
    assert table["config_hash"].nunique() == 1
    (name,) = table["config_hash"].unique()
    assert set(table["seeds"].dropna()) == {"0", "0-1"}
    assert (table["peak_memory_mb"] > 10).all()
    assert (table["processor_seconds"] > 0).all()
    page = (results / "tables/capacity/provenance.html").read_text()
    assert name in page
    for figure in ("figures/capacity/capacity", "overall/test/cost"):
        assert name.encode() in (results / f"{figure}.png").read_bytes()


def test_the_pause_between_checkpoints_makes_nothing_stale(project):
    assert not project.planned(TINY | {"checkpoint_seconds": 7}, *COMPUTING)


def test_a_gpu_is_asked_for_and_missing(project):
    """One line, and no traceback; `auto` would have taken the CPU."""
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU")
    file = "results/runs/copy/cell=GRU/length=7/hidden=6/layers=2/seeds=0-1/run.json"
    done = project.snakemake(changed(copy={"lengths": [7]}) | {"device": "cuda"}, file)
    assert done.returncode != 0
    line = "] DeviceError: device is 'cuda', but no GPU is visible here; allowed: auto, cpu"
    assert done.stdout.count(line) == 1
    assert "Traceback" not in done.stdout


def test_progress_is_visible_while_it_runs(project):
    assert "steps (100%) done" in project.output
    assert "[search capacity TRNN length=10 hidden=6 layers=1] configuration 5 of 5" in (
        project.output
    )
    log = project.folder / "logs/train/copy/cell=BRC/length=5/hidden=6/layers=2/seeds=0-1.log"
    assert "4 steps" in log.read_text()


def test_a_second_run_has_nothing_to_do(project):
    done = project.snakemake(TINY)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


RUN = "runs/copy/cell=BRC/length=5/hidden=6/layers=2/seeds=0-1"
SEARCH = "searches/capacity/cell=ESN/length=10/hidden=10/layers=1"


@pytest.mark.parametrize(
    ("files", "jobs"),
    [
        ([f"{RUN}/metrics.parquet"], {("train", "BRC")}),
        ([f"{RUN}/run.json"], {("train", "BRC")}),
        ([RUN], {("train", "BRC")}),
        (["data/capacity/data.npy"], {("data", "")}),
        ([f"{SEARCH}/observations.csv"], {("search", "ESN")}),
        ([f"{SEARCH}/surrogate.parquet"], {("optimum", "ESN")}),
        (["tables/copy/runs.csv"], {("aggregate", "")}),
        (["tables/copy", f"{RUN}/metrics.parquet"], {("aggregate", ""), ("train", "BRC")}),
        (["overall/test/improvements.csv"], {("across_tasks", "")}),
        (["overall/test/cost.csv"], {("cost", "")}),
        (["overall/test/scorecard.csv"], {("scorecard", "")}),
        (["figures/copy/training_loss.pdf"], {("figure", "")}),
        (["figures/copy"], {("figure", ""), ("index", "")}),
        (["figures/capacity/search"], {("figure_search", "ESN"), ("figure_search", "TRNN")}),
    ],
)
def test_what_was_deleted_is_made_again(project, tmp_path, files, jobs):
    results = project.folder / "results"
    for number, file in enumerate(files):
        (results / file).rename(tmp_path / str(number))
    try:
        planned = {job[:2] for job in project.planned(TINY)}
    finally:
        for number, file in enumerate(files):
            (tmp_path / str(number)).rename(results / file)
    assert jobs <= planned

    assert not project.planned(TINY)


def test_an_empty_result_is_refused_by_name(project):
    file = project.folder / "results" / RUN / "metrics.parquet"
    content = file.read_bytes()
    try:
        file.write_bytes(b"")
        done = project.snakemake(TINY, "--dry-run")
    finally:
        file.write_bytes(content)
    assert done.returncode != 0
    advice = "is damaged (it is empty); delete it and give the same command again"
    assert f"results/{RUN}/metrics.parquet: {advice}" in done.stdout.splitlines()
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [("100 * attempt", "300 MB"), ("120 * attempt", None), ("input.size_mb", None)],
)
def test_the_allowed_memory_may_be_an_expression(project, allowed, refused):
    """As in profiles/slurm; one in a job's input has no value yet."""
    done = project.snakemake(TINY, "--dry-run", "--set-resources", f"train:mem_mb={allowed}")
    assert bool(done.returncode) == bool(refused), done.stdout
    assert not refused or f"of memory; allowed: {refused} (--set-resources" in done.stdout


@contextmanager
def edited(project, *files, by="EDITED = 1"):
    """Add a line to files during the block."""
    before = {path: path.read_text() for path in (project.folder / file for file in files)}
    try:
        for path, text in before.items():
            path.write_text(f"{text}\n{by}\n")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def rerun(project, *files) -> set[tuple[str, str]]:
    """Return rule and cell of the jobs that an edit of code in files would run."""
    with edited(project, *files):
        return {job[:2] for job in project.planned(TINY)}


#: What follows whenever a study's runs are made again.
FOLLOWING = {
    (rule, "")
    for rule in (
        *("aggregate", "across_tasks", "scorecard", "summary", "figure", "index", "cost", "all"),
    )
}
TRAININGS = {("train", cell) for cell in ("GRU", "BRC", "nBRC", "TRNN", "ESN")}
SEARCHED = {"TRNN", "ESN"}
SEARCHES, OPTIMA = ({(rule, cell) for cell in SEARCHED} for rule in ("search", "optimum"))
SEARCH_FIGURES = {("figure_search", cell) for cell in SEARCHED}
EVERYTHING = TRAININGS | SEARCHES | OPTIMA | SEARCH_FIGURES | FOLLOWING
RECURRENT = {(rule, "TRNN") for rule in ("search", "optimum", "figure_search", "train")}


def test_an_edit_that_computes_nothing_reruns_nothing(project):
    sources = [*project.folder.glob("src/**/*.py"), *project.folder.glob("workflow/scripts/*.py")]
    lines = """# a comment

'A docstring.'
import typing
if typing.TYPE_CHECKING:
    from typing import Any
"""
    with edited(project, *sources, by=lines):
        assert not project.planned(TINY)
    assert not rerun(project, *project.folder.glob("src/rnncells/jobs/*.py"))
    assert not rerun(project, *project.folder.glob("src/rnncells/study/*.py"))
    rule = project.folder / "workflow/rules/train.smk"
    text = rule.read_text()
    try:
        assert "runtime=360" in text
        rule.write_text(text.replace("runtime=360", "runtime=400").replace("logs/", "logs/of-"))
        assert not project.planned(TINY)
    finally:
        rule.write_text(text)


@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        ("cells/gru.py", {("train", "GRU")} | FOLLOWING),
        ("kernels/units/bistable.py", {("train", "BRC"), ("train", "nBRC")} | FOLLOWING),
        ("cells/leaky.py", RECURRENT | FOLLOWING),
        ("tasks/binary_addition.py", {("train", "nBRC")} | FOLLOWING),
        ("kernels/numba/product.py", EVERYTHING),
        ("layers/network.py", EVERYTHING),
        ("training/step.py", EVERYTHING),
        (
            "search/loop.py",
            SEARCHES | OPTIMA | SEARCH_FIGURES
            | {("train", cell) for cell in SEARCHED} | FOLLOWING,
        ),
        ("results/statistics.py", FOLLOWING),
        ("results/runs.py", set()),
        ("figures/capacity.py", {("figure", ""), ("index", ""), ("all", "")}),
    ],
)  # fmt: skip
def test_an_edit_reruns_what_was_computed_with_the_file(project, file, jobs):
    assert rerun(project, f"src/rnncells/{file}") == jobs


def test_editing_a_figure_draws_that_figure_only(project):
    with edited(project, "src/rnncells/figures/capacity.py"):
        assert sum(project.planned(TINY).values()) == 3  # with its page, and the target


def test_editing_a_rules_script_reruns_that_rules_jobs_only(project):
    assert rerun(project, "workflow/scripts/train.py") == TRAININGS | FOLLOWING
    # A training with searched hyperparameters follows its optimum.
    assert rerun(project, "workflow/scripts/optimum.py") == {
        *OPTIMA, *SEARCH_FIGURES, *(("train", cell) for cell in SEARCHED), *FOLLOWING
    }  # fmt: skip


def test_changing_one_cells_setting_reruns_that_cells_jobs_only(project):
    config = changed(copy={"per_cell": {"BRC": {"training": {"batch_size": 50}}}})
    assert {job[:2] for job in project.planned(config, *COMPUTING)} == {("train", "BRC")}
    config = changed(copy={"per_cell": {"GRU": {"hyperparameters": {"values": {"lr": 0.01}}}}})
    assert {job[:2] for job in project.planned(config, *COMPUTING)} == {("train", "GRU")}
    ridge = {"training": {"readout": "ridge", "ridge": 1e-3}, "hidden_sizes": [10]}
    config = changed(capacity={"per_cell": {"ESN": ridge}})
    assert {job[:2] for job in project.planned(config, *COMPUTING)} == {
        (rule, "ESN") for rule in ("search", "optimum", "train")
    }


@pytest.mark.parametrize(
    ("study", "keys", "new"),
    [
        ("copy", {"cells": ["GRU", "BRC", "sRNN"]}, [("train", "sRNN", "5", "6", "2", "0-1")]),
        (
            "copy",
            {"lengths": [5, 7]},
            [("train", cell, "7", "6", "2", "0-1") for cell in ("GRU", "BRC")],
        ),
        (
            "copy",
            {"seeds": 4},
            [("train", cell, "5", "6", "2", "2-3") for cell in ("GRU", "BRC")],
        ),
        (
            "copy",
            {"seeds": [1, 0, 7, 5], "seeds_per_job": 1},
            [("train", c, "5", "6", "2", s) for c in ("GRU", "BRC") for s in ("5", "7")],
        ),
        (
            "copy",
            {"hidden_sizes": [6, 9]},
            [("train", cell, "5", "9", "2", "0-1") for cell in ("GRU", "BRC")],
        ),
        ("capacity", {"seeds": 3}, [("train", "TRNN", "10", "6", "1", "2"),
                                    ("train", "ESN", "10", "10", "1", "2")]),
    ],
)  # fmt: skip
def test_adding_to_a_study_runs_only_what_is_new(project, study, keys, new):
    assert sorted(project.planned(changed(**{study: keys}), *COMPUTING)) == sorted(new)


def test_a_change_of_the_search_budget_keeps_the_observations(project):
    folder = project.folder / "results/searches/capacity/cell=ESN/length=10/hidden=10/layers=1"
    before = pd.read_csv(folder / "observations.csv")
    config = changed()
    config["studies"]["capacity"]["per_cell"]["ESN"]["hyperparameters"] = {
        "search": {"configurations": 7}
    }
    done = project.snakemake(config, str(folder.relative_to(project.folder) / "observations.csv"))
    assert done.returncode == 0, done.stdout
    assert "5 configurations are known already" in done.stdout
    after = pd.read_csv(folder / "observations.csv")
    assert len(after) == 7
    pd.testing.assert_frame_equal(after.iloc[:5], before)
    assert project.snakemake(TINY).returncode == 0  # back to the state of the other tests


@pytest.mark.parametrize(
    ("file", "trainings", "searches"),
    [
        ("paper.yaml", 4 * 3 + 4 * 2 + 4 * 2 + 13 * 3 + 4, 0),
        ("searches.yaml", 13 * 3 + 4, 13 * 3 + 4),
    ],
)
def test_the_published_size_is_planned(project, file, trainings, searches):
    jobs = project.planned(f"config/{file}", "train", "search")
    kinds = Counter(job[0] for job in jobs.elements())
    assert (kinds["train"], kinds["search"]) == (trainings, searches)


def test_seeds_per_job_cuts_the_published_size_into_a_job_per_seed(project):
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    for study in config["studies"].values():
        study["seeds_per_job"] = 1
    jobs = project.planned(config, "train")
    assert sum(jobs.values()) == (4 * 3 + 4 * 2 + 4 * 2) * 5 + (13 * 3 + 4) * 10


def test_a_configuration_file_replaces_the_default_one(project):
    studies = {"only": TINY["studies"]["copy"] | {"cells": ["LSTM"]}}
    jobs = project.planned({"studies": studies}, "train")
    assert {job[:2] for job in jobs} == {("train", "LSTM")}
    assert sum(jobs.values()) == 1


@pytest.mark.parametrize(
    ("keys", "fragments"),
    [
        ({"lengths": [-5]}, ["studies.copy.lengths", "-5", "1"]),
        ({"cells": ["GRUU"]}, ["'GRUU'", "nBRC"]),
        ({"trainin": {}}, ["'trainin'", "training"]),
    ],
)
def test_a_mistake_ends_the_workflow_in_one_line_before_any_job(project, keys, fragments):
    done = project.snakemake(changed(copy=keys))
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    assert len([line for line in lines if line.startswith("Configuration error:")]) == 1
    assert "Traceback" not in done.stdout
    assert "rule " not in done.stdout
    for fragment in fragments:
        assert fragment in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"studies: [\n a: b", "line 2, column 6: expected ',' or ']'"),
        (b"", "is empty"),
        ("studies: {}".encode("utf-16"), "not a text in UTF-8"),
    ],
)
def test_a_default_configuration_that_cannot_be_read_is_one_line(tmp_path, content, message):
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    output = done.stdout + done.stderr
    (line,) = [line for line in output.splitlines() if "config/config.yaml" in line]
    assert line.startswith("Configuration error: config/config.yaml")
    assert message in line
    assert "Traceback" not in output


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_bad_data_fail_in_one_line_and_the_rest_goes_on(project):
    file = project.folder / "data.pkl"
    data = {"file": "data.pkl"}
    config = {"studies": {"mine": TINY["studies"]["capacity"] | {"data": data, "cells": ["TRNN"]}}}
    for content, fragment in (
        (Malicious(), "only NumPy arrays"),
        (np.zeros((3, 20)), "shape"),
        (np.full((3, 20, 2), np.nan), "NaN"),
    ):
        file.write_bytes(pickle.dumps(content))
        done = project.snakemake(config, "results/data/mine/data.npy")
        assert done.returncode != 0
        assert len(re.findall(rf"data\.pkl: .*{fragment}", done.stdout)) >= 1
        assert "Traceback" not in done.stdout
    assert not (project.folder / "executed").exists()
    file.write_bytes(pickle.dumps(np.random.default_rng(0).normal(size=(12, 20, 2))))
    done = project.snakemake(config, "results/data/mine/data.npy")
    assert done.returncode == 0, done.stdout
    made = np.load(project.folder / "results/data/mine/data.npy")
    assert made.shape == (12, 20, 2)


def test_the_readmes_own_cell_runs_and_is_in_every_figure(project):
    readme = (ROOT / "README.md").read_text()
    section = readme.split("## Add your own cell")[1]
    code = re.search(r"```python\n(.*?)```", section, re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    name = re.search(r'@register\("(.*?)"\)', code)[1]
    file = project.folder / "src/rnncells/cells/mine.py"
    file.write_text(code)
    config = changed(copy={"cells": ["GRU", "BRC", name]})
    config["studies"] = {"copy": config["studies"]["copy"]}
    try:
        done = project.snakemake(config, "results/figures/copy/training_loss.png")
    finally:
        file.unlink()
    assert done.returncode == 0, done.stdout
    trained = [line for line in done.stdout.splitlines() if line.startswith("[train ")]
    assert trained
    assert all(f"copy {name} " in line for line in trained)
    summary = pd.read_parquet(project.folder / "results/tables/copy/summary.parquet")
    assert set(summary["cell"]) == {"GRU", "BRC", name}


def blocks(heading: str, *languages: str) -> list[str]:
    """Return the first code block of each language below a heading of the README."""
    section = (ROOT / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return [re.search(rf"```{name}\n(.*?)```", section, re.S)[1] for name in languages]


@pytest.fixture(scope="module")
def own_task(project):
    """The README's own task, exactly as it is there, trained and drawn."""
    code, config = blocks("Add your own task", "python", "yaml")
    file = project.folder / "mytasks/adding.py"
    file.parent.mkdir()
    file.write_text(code)
    (project.folder / "adding.yaml").write_text(config)
    done = project.snakemake("adding.yaml")
    assert done.returncode == 0, done.stdout
    return file, yaml.safe_load(config)


def test_the_readmes_own_task_is_trained_and_drawn(project, own_task):
    file, config = own_task
    assert len([line for line in file.read_text().splitlines() if line.strip()]) <= 40
    results = project.folder / "results"
    assert (results / "figures/adding/scores.png").read_bytes().startswith(b"\x89PNG")
    assert "scores" in (results / "figures/adding/README.md").read_text()
    summary = pd.read_parquet(results / "tables/adding/summary.parquet")
    assert set(summary["cell"]) == set(config["studies"]["adding"]["cells"])
    assert set(summary["length"]) == {5, 10}
    # Better than the best constant prediction, whose error is the chance level.
    assert summary["mean"].max() < 1 / 6
    done = project.snakemake("adding.yaml", "--report", "report.html")
    assert done.returncode == 0, done.stdout
    assert "scores" in (project.folder / "report.html").read_text()


def test_an_edit_of_an_own_task_reruns_its_jobs_only(project, own_task):
    file, config = own_task
    config["studies"] |= {"copy": TINY["studies"]["copy"]}
    config["device"] = "cpu"
    assert not project.planned("adding.yaml", *COMPUTING)
    before = file.read_text()
    file.write_text(before.replace('stream(seed, "adding"', 'stream(seed, "summing"'))
    try:
        jobs = project.planned("adding.yaml", *COMPUTING)
    finally:
        file.write_text(before)
    assert {job[:3] for job in jobs} == {
        ("train", cell, length) for cell in ("GRU", "nBRC") for length in ("5", "10")
    }


def test_a_mistake_in_the_settings_of_an_own_task_is_one_line(project, own_task):
    _, config = own_task
    config = copy.deepcopy(config)
    config["studies"]["adding"]["training"] = {"iteration": 3}
    done = project.snakemake(config)
    assert done.returncode != 0
    line = "studies.adding.training: unknown key 'iteration' (did you mean 'iterations'?)"
    assert line in done.stdout
    assert "Traceback" not in done.stdout


def test_the_cost_of_every_computing_rule_is_reported(project):
    table = pd.read_csv(project.folder / "results/overall/test/cost.csv").set_index(
        ["study", "rule"]
    )
    assert table.loc[("capacity", "search"), "jobs"] == 2
    assert table.loc[("addition", "train"), "jobs"] == 2
    assert (table["seconds_total"] > 0).all()
    assert (table["core_hours"] > 0).all()


def test_the_workflow_is_lint_clean(project):
    done = project.snakemake(TINY, "--lint")
    assert done.returncode == 0, done.stdout
    assert "Congratulations" in done.stdout


def test_another_configuration_leaves_what_is_said_of_the_first_one_alone(project):
    (project.folder / "other.yaml").write_text(yaml.safe_dump(TINY))
    together = {"across_tasks", "cost", "summary", "scorecard"}
    planned = {job[0] for job in project.planned("other.yaml")}
    assert together <= planned
    assert not planned & set(COMPUTING)
    assert (project.folder / "results/overall/test/cost.csv").exists()
