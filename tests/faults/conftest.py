"""The fault suite: what is broken on purpose, and counted.

It runs by itself (``make test-faults``, see ``run.py``), stops after ten minutes whatever happens,
and ends every process that it started. Its random moments follow from one seed, ``FAULTS_SEED``.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rnncells.jobs.locks import locked
from tests.tally import Tally, counted

from .forks import Forks, Job, jobs
from .moments import SEED
from .processes import LASTING, end, living
from .projects import Project
from .study import CONFIG

#: The whole suite ends after this many seconds.
LIMIT = 600


def pytest_report_header() -> str:
    return f"faults: seed {SEED} (FAULTS_SEED), everything is ended after {LIMIT} s"


def pytest_sessionstart() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and so would all heads and jobs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: pytest.exit(f"not done after {LIMIT} s", 1))
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", 1))
    signal.alarm(LIMIT)


def pytest_sessionfinish() -> None:
    signal.alarm(0)
    end(living())


@pytest.fixture(scope="session")
def tally() -> Iterator[Tally]:
    """Counts what is tried and what is survived."""
    with counted() as made:
        yield made


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> Project:
    """The undisturbed run, with which everything is compared.

    Processes that test side by side have a folder for it, and the first of them makes it.
    """
    folder = Path(os.environ.get("FAULTS_REFERENCE") or tmp_path_factory.mktemp("reference"))
    lasted = folder / "seconds"
    with locked(folder / ".lock", "waiting for the undisturbed run"):
        if not lasted.exists():
            project = Project.new(folder, CONFIG)
            began = time.monotonic()
            project.succeed("--skip-script-cleanup")
            lasted.write_text(str(time.monotonic() - began))
    project = Project(folder)
    project.seconds = float(lasted.read_text())
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
