"""What a cluster does to jobs: the numbers are those of an undisturbed run, whatever it was."""

import json
import shutil
import time
from pathlib import Path

import psutil
import pytest
from cluster import slurm
from head import Head, assert_same

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
    "memory": study(1),
    "head": study(60),
    "drain": study(15, seeds_per_job=1),
    "failure": study(30),
}


class SlowHead(Head):
    """A run of some of the studies."""

    def __init__(self, folder: Path, *studies: str):
        super().__init__(folder, {"device": "cpu", "studies": {s: STUDIES[s] for s in studies}})
        shutil.copy(Path(__file__).with_name("slow.py"), folder)

    def begin(self, *arguments: str, **options) -> "SlowHead":
        """Start what makes the tables."""
        targets = [f"results/tables/{study}/summary.csv" for study in self.config["studies"]]
        self.start(*targets, *arguments, **options)
        return self

    def wait_for_step(self) -> str:
        """Wait until the first training is at work; return SLURM's number of the job."""
        return self.wait_for_job(0, r"step \d+ of")

    def record(self) -> dict:
        """Return what the only job says about itself."""
        (file,) = (self.folder / "results/runs").glob("**/run.json")
        return json.loads(file.read_text())


def until(condition, seconds: float = 120) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.5)


def node_is(state: str) -> bool:
    return slurm("sinfo", "--noheader", "--format=%T") == state


@pytest.fixture(scope="module")
def new(cluster, tmp_path_factory):
    """Make the head of some studies; what it runs is ended with the tests."""
    made = []

    def make(*studies: str) -> SlowHead:
        made.append(SlowHead(tmp_path_factory.mktemp(studies[0]) / "here", *studies))
        return made[-1]

    yield make
    for head in made:
        head.process.kill()


@pytest.fixture(scope="module", autouse=True)
def undisturbed(new) -> SlowHead:
    """All studies without SLURM; they run while the tests do."""
    return new(*STUDIES).begin("--cores", "6", profile="default")


@pytest.fixture(scope="module", autouse=True)
def late(new, undisturbed) -> SlowHead:
    """A run that comes to its time limit while the other tests run."""
    return new("time").begin("--set-resources", "train:runtime=2 if attempt == 1 else 20")


@pytest.fixture(scope="module", autouse=True)
def small(new, late) -> SlowHead:
    """A run that has too little memory at first."""
    return new("memory").begin("--set-resources", "train:mem_mb=250 if attempt == 1 else 4000")


@pytest.fixture
def check(undisturbed):
    """Compare a run's tables with the undisturbed ones, when both are complete."""

    def compare(head: SlowHead) -> None:
        head.succeed()
        undisturbed.succeed()
        tables = head.tables()
        assert_same(tables, {name: undisturbed.tables()[name] for name in tables})

    return compare


def test_a_job_that_takes_too_much_memory_gets_more(cluster, small, check):
    check(small)
    killed, _ = cluster.ended(small.folder)
    (log,) = (small.folder / "logs/slurm").glob(f"**/{killed['JobId']}.log")
    assert "exceeded memory limit" in log.read_text()
    assert small.record()["retries"] == 1


def test_a_job_that_outlives_its_head_does_no_harm(new, check):
    head = new("head").begin()
    orphan = head.wait_for_step()
    head.process.kill()
    head.process.wait()
    head.start("--unlock").succeed()
    head.begin()
    head.wait_for_job(0, "another process trains these seeds")
    slurm("scancel", orphan)
    check(head)
    assert head.record()["resumed"] == 1


def test_a_drained_node_finishes_its_job_and_takes_no_other(cluster, new, check):
    head = new("drain").begin("--jobs", "1")
    head.wait_for_step()
    slurm("scontrol", "update", f"nodename={cluster.node}", "state=drain", "reason=test")
    try:
        until(lambda: len(head.submitted()) == 2)
        first, second = head.submitted()
        assert cluster.job(first)["JobState"] == "COMPLETED"
        assert cluster.job(second)["JobState"] == "PENDING"
    finally:
        slurm("scontrol", "update", f"nodename={cluster.node}", "state=resume")
    check(head)
    assert {asked["attempt"] for asked in head.submitted().values()} == {"1"}


def test_a_training_goes_on_after_its_time_limit(cluster, late, check):
    check(late)
    first, second = cluster.ended(late.folder)
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert (first["TimeLimit"], second["TimeLimit"]) == ("2", "20")
    (log,) = (late.folder / "logs/slurm").glob(f"**/{first['JobId']}.log")
    assert "ended by SIGTERM" in log.read_text()
    assert (late.record()["resumed"], late.record()["retries"]) == (1, 1)


# The last of the tests, because it ends everything that runs on the node.
def test_a_training_goes_on_after_its_node_failed(cluster, new, check):
    head = new("failure").begin()
    job = head.wait_for_step()
    slurm("scontrol", "update", f"nodename={cluster.node}", "state=down", "reason=test")
    until(lambda: cluster.job(job)["JobState"] == "PENDING" and node_is("idle"))
    # SLURM waits for two minutes, lest the job still ends on a node that has come back.
    until(lambda: not any(process.name() == "slurmstepd" for process in psutil.process_iter()))
    slurm("scontrol", "update", f"jobid={job}", "starttime=now")
    check(head)
    assert cluster.job(job)["Restarts"] == "1"
    assert list(head.submitted()) == [job]
    assert (head.record()["resumed"], head.record()["retries"]) == (1, 0)
