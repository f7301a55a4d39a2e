"""What a cluster does to jobs: the numbers are those of an undisturbed run, whatever it was."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from .cluster import slurm, wait_for
from .head import Head, assert_same

pytestmark = pytest.mark.faults


def study(epochs: int, seeds_per_job: int = 2) -> dict:
    """Return a study of two seeds, whose training takes most of a second per epoch."""
    return {
        "task": "copy_first_input",
        "cells": ["slow:Slow"],
        "lengths": [2],
        "hidden_sizes": [4],
        "seeds": 2,
        "seeds_per_job": seeds_per_job,
        "training": {
            "train_sequences": 100,
            "batch_size": 100,
            "test_sequences": 10,
            "epochs": epochs,
            "stop_below": 0,
        },
    }


STUDIES = {
    # SLURM looks at time limits twice a minute. This training is at work when it does.
    "time": study(110),
    "memory": study(5),
    # The orphan has to last until another job waits for it, on a busy machine too.
    "head": study(120),
    "drain": study(15, seeds_per_job=1),
    "failure": study(30),
}
#: How often a job of these went on from a checkpoint, and how often it was submitted again.
RESUMED_AND_RETRIES = {
    "time": (1, 1),
    "memory": (0, 1),
    "head": (1, 0),
    "drain": (0, 0),
    "failure": (1, 0),
}
#: What happens to each study.
FAULTS = {
    "time": "SLURM: the time limit ends a job",
    "memory": "SLURM: a job is killed because it takes too much memory",
    "head": "SLURM: Snakemake is killed, and its job runs on",
    "drain": "SLURM: the node is drained",
    "failure": "SLURM: the node fails under a job",
}
#: What a training prints while it is at work.
STEP = r"step \d+ of"


@pytest.fixture(scope="module")
def new(new_head) -> Callable[..., Head]:
    """Make the head of some of the studies."""

    def make(*studies: str) -> Head:
        head = new_head({"device": "cpu", "studies": {name: STUDIES[name] for name in studies}})
        shutil.copy(Path(__file__).with_name("slow.py"), head.folder)
        return head

    return make


@pytest.fixture(scope="module", autouse=True)
def undisturbed(new) -> Head:
    """All studies without SLURM; they run while the tests do."""
    return new(*STUDIES).start_tables("--cores", "6", profile="default")


@pytest.fixture(scope="module", autouse=True)
def disturbed(new, undisturbed) -> dict[str, Head]:
    """The head of each study; that of two, to which SLURM itself does something, have begun."""
    heads = {name: new(name) for name in STUDIES}
    limits = {"time": "runtime=2 if attempt == 1 else 20", "memory": "mem_mb=250 * attempt**4"}
    for name, limit in limits.items():
        heads[name].start_tables("--set-resources", f"train:{limit}")
    return heads


def test_a_job_that_outlives_its_head_is_waited_for(disturbed):
    head = disturbed["head"].start_tables()
    orphan = head.wait_for_job(STEP)
    head.kill()
    head.start_tables()
    head.wait_for_job("another process does this train job")
    slurm("scancel", orphan)


def test_a_drained_node_finishes_its_job_and_takes_no_other(cluster, disturbed):
    head = disturbed["drain"].start_tables("--jobs", "1")
    head.wait_for_job(STEP)
    cluster.set_node("drain")
    wait_for(lambda: len(head.submitted()) == 2)
    first, second = head.submitted()
    assert cluster.job(first)["JobState"] == "COMPLETED"
    assert cluster.job(second)["JobState"] == "PENDING"
    cluster.set_node("resume")
    head.succeed()


def test_a_job_that_takes_too_much_memory_gets_more(cluster, disturbed):
    head = disturbed["memory"].succeed()
    killed, _ = cluster.ended(head.folder)
    assert "exceeded memory limit" in head.slurm_log(killed["JobId"])
    assert f"{killed['JobId']}.log (check log file(s) for error details)" in head.output


def test_a_job_is_told_to_save_its_work_before_its_time_limit(cluster, disturbed):
    head = disturbed["time"].succeed()
    first, second = cluster.ended(head.folder)
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert (first["TimeLimit"], second["TimeLimit"]) == ("2", "20")
    assert "ended by SIGTERM" in head.slurm_log(first["JobId"])


def test_a_job_whose_node_fails_is_started_again_by_slurm(cluster, disturbed):
    disturbed["head"].succeed()  # nothing else is running
    head = disturbed["failure"].start_tables()
    job = head.wait_for_job(STEP)
    cluster.set_node("down")
    wait_for(lambda: cluster.job(job)["JobState"] == "PENDING" and cluster.idle())
    # SLURM waits for two minutes, lest the job still ends on a node that has come back.
    wait_for(lambda: not any(process.name() == "slurmstepd" for process in psutil.process_iter()))
    slurm("scontrol", "update", f"jobid={job}", "starttime=now")
    head.succeed()
    assert cluster.job(job)["Restarts"] == "1"
    assert list(head.submitted()) == [job]


@pytest.mark.parametrize("name", STUDIES)
def test_the_numbers_are_those_of_an_undisturbed_run(disturbed, undisturbed, name, tally):
    with tally.tries(FAULTS[name]):
        head = disturbed[name].succeed()
        for file in (head.folder / "results/runs").glob("**/run.json"):
            run = json.loads(file.read_text())
            assert (run["resumed"], run["retries"]) == RESUMED_AND_RETRIES[name]
        expected = undisturbed.succeed().tables()
        assert_same(head.tables(), {table: expected[table] for table in head.tables()})
