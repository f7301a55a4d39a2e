"""A SLURM cluster for the tests of this folder, started before the first and stopped at the end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tally import counted

from .cluster import ETC, FILES, idle, node, slurm
from .head import Head

HERE = Path(__file__).parent


class Cluster:
    """What SLURM itself says about its jobs."""

    def __init__(self, folder: Path):
        self.folder = folder

    def set_node(self, state: str) -> None:
        """Set the state of the only node, as an administrator does."""
        slurm("scontrol", "update", f"nodename={node()}", f"state={state}", "reason=test")

    def idle(self) -> bool:
        """Return whether the node waits for jobs."""
        return idle()

    def job(self, number: str) -> dict[str, str]:
        """Return the record of a job that is waiting, running, or ended minutes ago."""
        return fields(slurm("scontrol", "show", "job", "--oneliner", "--details", number))

    def ended(self, folder: Path) -> list[dict[str, str]]:
        """Return the records of the ended jobs of a folder, from SLURM's file of all ended jobs."""
        records = [fields(line) for line in (self.folder / "jobs").read_text().splitlines()]
        return [record for record in records if record["WorkDir"] == str(folder)]


def fields(line: str) -> dict[str, str]:
    """Read a line of SLURM's: name=value, with spaces between."""
    return dict(part.split("=", 1) for part in line.split() if "=" in part)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    # A time limit on the tests ends what they started.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=1))
    folder = tmp_path_factory.mktemp("slurm")
    with subprocess.Popen(
        [sys.executable, HERE / "cluster.py", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        if process.stdout.readline() != "ready\n":
            pytest.fail(process.stderr.read().strip(), pytrace=False)
        yield Cluster(folder)
        process.stdin.close()
        assert process.wait(120) == 0, process.stderr.read()
    assert not any((ETC / name).exists() for name in FILES)


@pytest.fixture(scope="session")
def tally():
    """Counts the faults that are tried and survived."""
    with counted() as made:
        yield made


@pytest.fixture(scope="session")
def new_head(cluster, tmp_path_factory):
    """Make the head of a run; one that still lives is ended with the tests."""
    made = []

    def make(config: dict) -> Head:
        made.append(Head(tmp_path_factory.mktemp("head"), config))
        return made[-1]

    yield make
    for head in made:
        head.kill()
