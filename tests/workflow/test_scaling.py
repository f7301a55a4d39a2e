"""Planning many jobs: what a job costs does not grow with their number, and only new ones run."""

import os
import pstats
import subprocess
import sys

import pytest
import yaml

from benchmarks.planning import ROOT, configuration, fake, snakemake


def calls(folder, jobs_per_cell: int) -> int:
    """Return how many function calls it takes to plan a study of two cells.

    Unlike seconds, they are the same at every repetition.
    """
    config, profile = folder / "config.yaml", folder / "profile"
    study = configuration(1, ["GRU", "nBRC"], lengths=[5], sizes=range(1, jobs_per_cell + 1))
    config.write_text(yaml.safe_dump(study))
    command = ["-m", "snakemake", "--configfile", str(config), "--directory", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "cProfile", "-o", str(profile), *command, "--dry-run", "--quiet"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
    )
    return pstats.Stats(str(profile)).total_calls


def test_the_work_for_a_job_does_not_grow_with_the_number_of_jobs(tmp_path):
    few, more, many = (calls(tmp_path, number) for number in (10, 60, 160))
    assert (many - more) / 200 == pytest.approx((more - few) / 100, rel=0.2)


def test_of_a_finished_study_only_the_jobs_of_a_new_cell_are_planned(tmp_path):
    before, after = configuration(2, ["GRU", "nBRC"]), configuration(2, ["GRU", "nBRC", "LSTM"])
    fake(tmp_path, before)
    assert "Nothing to be done" in snakemake(tmp_path, before, "--dry-run").text
    planned = snakemake(tmp_path, after, "--dry-run")
    once = ("aggregate", "across_tasks", "index", "cost", "scorecard", "summary", "all")
    gathering = {**dict.fromkeys(once, 1), "figure": 2}
    assert planned.jobs == {"train": 54, **gathering, "total": 54 + sum(gathering.values())}
    assert planned.text.count("cell=LSTM, ") == 54
