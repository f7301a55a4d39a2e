"""The workflow on a SLURM cluster, through the project's own profile."""

import subprocess
import sys
from pathlib import Path

import pytest

from .cluster import ETC, FILES, slurm, wait_for
from .head import Head, assert_same

STUDIES = {
    "copy": {
        "task": "copy_first_input",
        "cells": ["GRU"],
        "lengths": [5],
        "hidden_sizes": [6],
        "seeds": 2,
        "training": {"train_sequences": 200, "test_sequences": 50, "epochs": 2},
    },
    "capacity": {
        "task": "trajectory_generation",
        "cells": ["TRNN"],
        "lengths": [10],
        "hidden_sizes": [6],
        "seeds": 2,
        "data": {"trajectories": 8, "points": 100, "via_points": [3, 5]},
        "hyperparameters": {
            "source": "search",
            "search": {"configurations": 4, "initial": 2, "batch": 2, "space": {"p": [1, 6]}},
        },
        "training": {"iterations": 30},
    },
}
#: A configuration that wants no GPU.
CPU = {"device": "cpu", "studies": {"copy": STUDIES["copy"]}}


@pytest.fixture(scope="module")
def started(new_head) -> dict[str, Head]:
    """Three runs, at the same time: the whole workflow; its tables without SLURM; without a GPU."""
    return {
        "run": new_head({"studies": STUDIES}).start(),
        "cancelled": new_head(CPU).start_tables(),
        "local": new_head({"studies": STUDIES}).start_tables(profile="default"),
    }


@pytest.fixture(scope="module")
def cancelled(started) -> Head:
    """The run on the CPU, whose only job is cancelled when it has begun."""
    head = started["cancelled"]
    slurm("scancel", head.wait_for_job("localrule train"))
    return head.succeed()


@pytest.fixture(scope="module")
def run(started, cancelled) -> Head:
    """The whole run; its configuration leaves the device open, so all its jobs want a GPU."""
    return started["run"].succeed()


def assert_granted(cluster, head: Head) -> None:
    """Check that SLURM's records of all jobs say what the head asked for."""
    for number, asked in head.submitted().items():
        record = cluster.job(number)
        assert record["Partition"] == asked["slurm_partition"] == "gpu"
        assert record["MinMemoryNode"] == f"{asked['mem_mb']}M"
        hours, minutes, seconds = record["TimeLimit"].split(":")
        assert (60 * int(hours) + int(minutes), seconds) == (int(asked["runtime"]), "00")
        gpus = int(asked.get("gpu", 0))
        assert record.get("TresPerJob") == (f"gres:gpu:{gpus}" if gpus else None)
        assert record["JOB_GRES"] == (f"gpu:{gpus}" if gpus else "(null)")
        assert record["Requeue"] == "1"


def test_everything_is_made_with_the_numbers_of_a_run_without_slurm(started, run):
    assert_same(run.tables(), started["local"].succeed().tables())
    for study in STUDIES:
        assert (run.folder / f"results/figures/{study}/README.md").exists()


def test_searches_and_trainings_are_submitted_and_nothing_else(cluster, run):
    rules = sorted(asked["rule"] for asked in run.submitted().values())
    assert rules == ["search", "train", "train"]
    ended = cluster.ended(run.folder)
    assert {record["JobId"] for record in ended} == set(run.submitted())
    assert {record["JobState"] for record in ended} == {"COMPLETED"}
    assert all(record["Name"].startswith("rnncells_") for record in ended)


def test_jobs_get_the_gpu_the_memory_and_the_time_of_their_rule(cluster, run):
    assert_granted(cluster, run)
    assert {asked["gpu"] for asked in run.submitted().values()} == {"1"}
    for record in cluster.ended(run.folder):
        asked = run.submitted()[record["JobId"]]
        assert record["TimeLimit"] == asked["runtime"]
        assert f"mem={asked['mem_mb']}M" in record["Tres"].split(",")


def test_a_retry_is_a_new_job_with_more_memory_and_time(cluster, cancelled):
    first, second = cancelled.submitted().values()
    for name in ("mem_mb", "runtime"):
        assert int(second[name]) == 2 * int(first[name])
    states = [record["JobState"] for record in cluster.ended(cancelled.folder)]
    assert states == ["CANCELLED", "COMPLETED"]


def test_a_study_on_the_cpu_asks_for_no_gpu(cluster, cancelled):
    assert not any("gpu" in asked for asked in cancelled.submitted().values())
    assert_granted(cluster, cancelled)


def test_what_failed_jobs_printed_is_kept_below_logs(run, cancelled):
    assert not (run.folder / "logs/slurm").exists()
    first = next(iter(cancelled.submitted()))
    kept = [file.name for file in (cancelled.folder / "logs/slurm").glob("**/*.log")]
    assert kept == [f"{first}.log"]
    assert not (cancelled.folder / ".snakemake/slurm_logs").exists()
    assert not slurm("squeue", "--noheader")


def test_a_job_refuses_a_configuration_that_its_head_has_not_read(cluster, new_head, run):
    cluster.set_node("drain")
    head = new_head(CPU).start_tables("--retries", "0")
    wait_for(head.submitted)
    file = head.folder / "config.yaml"
    file.write_text(file.read_text().replace("epochs: 2", "epochs: 3"))
    cluster.set_node("resume")
    assert head.process.wait(120) != 0
    (job,) = head.submitted()
    assert f"{job}.log (check log file(s) for error details)" in head.output
    said = head.slurm_log(job)
    assert "Configuration error: the configuration has changed since Snakemake was started" in said


def test_a_slurm_that_is_there_is_left_alone(cluster, tmp_path):
    before = [(ETC / name).read_text() for name in FILES]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("cluster.py"), tmp_path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "slurm" in done.stderr
    assert [(ETC / name).read_text() for name in FILES] == before
    assert cluster.idle()
    assert not any(tmp_path.iterdir())
