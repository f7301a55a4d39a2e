"""The fault suite: what is broken on purpose, and counted.

It runs by itself (``make test-faults``), stops after ten minutes whatever happens, and ends every
process that it started. Its random moments follow from one seed, ``FAULTS_SEED``.
"""

import shutil
import signal
import time

import psutil
import pytest
from forks import Forks, Job, jobs
from moments import SEED
from processes import LASTING, end, living
from projects import ROOT, Project
from tally import Tally

TALLY = pytest.StashKey[Tally]()
#: The whole suite ends after this many seconds.
LIMIT = 600

CONFIG = {
    "device": "cpu",
    "checkpoint_seconds": 0.1,
    "studies": {
        "copy": {
            "task": "copy_first_input",
            "cells": ["GRU"],
            "lengths": [5],
            "hidden_sizes": [6],
            "layers": [2],
            "seeds": 2,
            "training": {"train_sequences": 1000, "test_sequences": 200, "epochs": 20},
        },
        "addition": {
            "task": "binary_addition",
            "cells": ["nBRC"],
            "lengths": [5],
            "hidden_sizes": [6],
            "seeds": 2,
            "training": {
                "samples_per_epoch": 10000,
                "epochs_per_length": 1,
                "test_length": 6,
                "test_samples": 50,
            },
        },
        "capacity": {
            "task": "trajectory_generation",
            "cells": ["TRNN"],
            "lengths": [10],
            "hidden_sizes": [6],
            "seeds": 2,
            # More than a megabyte: larger than the files that Snakemake compares by default.
            "data": {"trajectories": 40, "points": 2000, "via_points": [3, 5]},
            "hyperparameters": {
                "source": "search",
                "search": {
                    "configurations": 5,
                    "initial": 3,
                    "batch": 2,
                    "space": {"p": [1, 6]},
                },
            },
            "training": {"iterations": 300},
        },
    },
}


def pytest_report_header() -> str:
    return f"faults: seed {SEED} (FAULTS_SEED), everything is ended after {LIMIT} s"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Tally()


def pytest_sessionstart() -> None:
    signal.signal(signal.SIGALRM, lambda *_: pytest.exit(f"not done after {LIMIT} s", 1))
    signal.alarm(LIMIT)


def pytest_sessionfinish(session: pytest.Session) -> None:
    signal.alarm(0)
    end(living())
    session.config.stash[TALLY].write(ROOT / "build", seed=SEED)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    terminalreporter.section(f"faults, seed {SEED} (also in build/faults.md)")
    terminalreporter.write_line(config.stash[TALLY].table())


@pytest.fixture
def tally(request) -> Tally:
    """Counts what is tried and what is survived."""
    return request.config.stash[TALLY]


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> Project:
    """The undisturbed run, with which everything is compared."""
    project = Project.new(tmp_path_factory.mktemp("reference"), CONFIG)
    began = time.monotonic()
    project.succeed("--skip-script-cleanup")
    project.seconds = time.monotonic() - began
    return project


@pytest.fixture(scope="session")
def forks(reference, tmp_path_factory):
    """Two processes that fork jobs."""
    made = Forks(tmp_path_factory.mktemp("forks"), reference)
    yield made
    made.close()


@pytest.fixture(scope="session")
def job(reference):
    """Find a job of the undisturbed run by its rule and study."""
    known = {(job.rule, job.study): job for job in jobs(reference)}

    def find(rule: str, study: str = "capacity") -> Job:
        return known[rule, study]

    return find


@pytest.fixture
def project(tmp_path) -> Project:
    """A project without results."""
    return Project.new(tmp_path / "project", CONFIG)


@pytest.fixture
def finished(reference, tmp_path) -> Project:
    """A copy of the undisturbed run; its files have the same times."""
    shutil.copytree(reference.folder, tmp_path / "finished")
    return Project(tmp_path / "finished")


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    """Fail if a test leaves a process behind, and end it."""
    yield
    left = [process for process in living() if process.pid not in LASTING]
    _, alive = psutil.wait_procs(left, timeout=10)
    names = [str(process) for process in alive]
    end(alive)
    assert not names
