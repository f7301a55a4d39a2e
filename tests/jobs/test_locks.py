"""One process at a time holds a lock, and a dead one holds none."""

import errno
import os
import subprocess
import sys
import textwrap

import filelock
import pytest

from rnncells.jobs.locks import locked, release, take


def holder(path):
    """Start a process that waits for a lock, and then holds it until it gets a line."""
    code = f"""
        from rnncells.jobs.locks import locked
        with locked({str(path)!r}, "waiting"):
            print("held", flush=True)
            input()
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_one_process_at_a_time_holds_a_lock_and_the_dead_hold_none(tmp_path):
    path = tmp_path / ".lock"
    with locked(path, "waiting"):
        second = holder(path)
        assert second.stderr.readline() == "waiting\n"
    assert second.stdout.readline() == "held\n"
    third = holder(path)
    assert third.stderr.readline() == "waiting\n"
    second.kill()
    assert third.stdout.readline() == "held\n"
    third.communicate("end\n", timeout=20)
    assert third.returncode == 0
    assert not path.exists()
    second.communicate()


def test_a_lock_whose_file_was_removed_while_waiting_is_none(tmp_path):
    path = tmp_path / ".lock"
    first = take(path)
    assert take(path) is None
    waiting = os.open(path, os.O_RDWR)  # what another process has opened before the removal
    release(first)
    second = take(path)
    assert os.stat(path).st_ino != os.fstat(waiting).st_ino
    assert take(path) is None
    release(second)
    os.close(waiting)


def failing(error):
    """Let every lock fail with an error of the file system."""

    def flock(*_):
        raise OSError(error, os.strerror(error))

    return flock


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named_and_the_block_runs(
    tmp_path, monkeypatch, caplog, error
):
    monkeypatch.setattr(filelock._unix.fcntl, "flock", failing(error))
    with locked(tmp_path / "a", "waiting"), locked(tmp_path / "a", "waiting"):
        pass
    assert caplog.text.count(f"{tmp_path / 'a'}: cannot be locked") == 2
    assert "waiting" not in caplog.text


def test_other_errors_are_errors(tmp_path, monkeypatch):
    monkeypatch.setattr(filelock._unix.fcntl, "flock", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path / "a", "waiting"):
        pass
