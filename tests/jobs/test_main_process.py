"""One main process per folder, and a killed one stands in nobody's way."""

import errno
import subprocess
import sys

import filelock
import pytest

from rnncells.jobs import main_process

HOLD = """
import sys
from pathlib import Path
from rnncells.jobs.main_process import stay_alone
assert stay_alone(Path(sys.argv[1])) is None
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def lock(tmp_path):
    """What Snakemake leaves in its folder while it is at work."""
    (tmp_path / "locks").mkdir()
    file = tmp_path / "locks/0.output.lock"
    file.write_text("results/figures/cost.pdf\n")
    return file


def test_the_lock_of_a_living_main_process_stays(tmp_path, other, lock):
    for tell in (main_process.clear_the_way, main_process.stay_alone):
        assert f"process {other.pid} on" in tell(tmp_path)
    assert lock.exists()


def test_the_lock_of_a_killed_main_process_is_removed(tmp_path, other, lock):
    other.kill()
    other.wait()
    assert "was killed; its lock is removed" in main_process.clear_the_way(tmp_path)
    assert not lock.exists()
    assert main_process.clear_the_way(tmp_path) is None


def test_the_lock_of_a_main_process_on_another_machine_stays(tmp_path, lock):
    (tmp_path / main_process.LOCK).write_text("process 1 on elsewhere")
    note = main_process.clear_the_way(tmp_path)
    assert "was process 1 on elsewhere, and has left its lock" in note
    assert "--unlock" in note
    assert lock.exists()


def test_without_locks_in_the_file_system_nothing_is_removed(tmp_path, lock, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock._unix.fcntl, "flock", unsupported)
    assert main_process.clear_the_way(tmp_path) is None
    assert main_process.stay_alone(tmp_path) is None
    assert lock.exists()


def test_the_first_interrupt_ends_and_the_next_ones_do_not_disturb_the_end():
    code = """
import os, signal
from rnncells.jobs.main_process import interrupt_once
interrupt_once()
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGINT)
    print("ended")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "ended\n"
    assert (
        done.stderr.splitlines()
        == ["Ending already: jobs save their work, which takes a few seconds."] * 3
    )
