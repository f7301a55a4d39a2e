"""The head of a run is alone in its folder, and a killed one is in nobody's way."""

import subprocess
import sys

import pytest

from rnncells.jobs import main_process as head

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


def test_the_lock_of_a_living_head_stays(tmp_path, other, lock):
    for tell in (head.clear_the_way, head.stay_alone):
        assert f"process {other.pid} on" in tell(tmp_path)
    assert lock.exists()


def test_the_lock_of_a_killed_head_is_removed(tmp_path, other, lock):
    other.kill()
    other.wait()
    assert "was killed; its lock is removed" in head.clear_the_way(tmp_path)
    assert not lock.exists()
    assert head.clear_the_way(tmp_path) is None


def test_the_lock_of_a_head_on_another_machine_stays(tmp_path, lock):
    (tmp_path / "head").write_text("process 1 on elsewhere")
    note = head.clear_the_way(tmp_path)
    assert "was process 1 on elsewhere, and has left its lock" in note
    assert "--unlock" in note
    assert lock.exists()


def test_without_locks_in_the_file_system_nothing_is_removed(tmp_path, lock, monkeypatch):
    def unsupported(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(head.fcntl, "flock", unsupported)
    assert head.clear_the_way(tmp_path) is None
    assert head.stay_alone(tmp_path) is None
    assert lock.exists()


def test_the_ends_of_logs_are_short(tmp_path):
    logs = []
    for k in range(12):
        logs.append(tmp_path / f"{k}.log")
        logs[k].write_text("".join(f"line {n} of {k}\n" for n in range(30)))
    logs[1].write_text("")
    logs[2].unlink()
    text = head.ends_of_logs(logs)
    assert all(f"{log}:" in text for log in logs)
    assert "line 29 of 0" in text
    assert "line 3 of 0" not in text
    assert text.count("(empty)") == 2
    assert "of 11" not in text
