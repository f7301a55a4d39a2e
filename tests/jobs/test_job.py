"""Signals end a job at once, or where it suits; either way in one line."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from rnncells.jobs.interruption import Interrupted, asked_to_end, deferred, end_if_asked, listening


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_are_raised_at_once_or_where_it_suits(number):
    before = signal.getsignal(number)
    with listening(), pytest.raises(Interrupted, match=number.name):
        os.kill(os.getpid(), number)
    with listening():
        assert not asked_to_end()
        reached = []
        with pytest.raises(Interrupted), deferred():
            reached = [os.kill(os.getpid(), number), asked_to_end(), end_if_asked()]
        assert reached == []
        with pytest.raises(Interrupted), deferred():
            pass
    assert signal.getsignal(number) is before


def job(code, **more):
    """Start a job whose body is ``code``, with a file where it can say something."""
    code = f"""
        from rnncells.jobs.job import job
        with job("test", "job.log"):
            {code}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE, text=True, **more
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_ends_a_job_in_one_line(tmp_path, number):
    # Naps: Python does not notice a signal that comes just before a system call until it returns.
    naps = "[time.sleep(0.05) for _ in range(1200)]"
    process = job(f"import time; print(1); open('out', 'w').close(); {naps}", cwd=tmp_path)
    while not (tmp_path / "out").exists():
        assert process.poll() is None
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert errors == f"[test] ended by {number.name}\n"
    assert "Traceback" not in (tmp_path / "job.log").read_text()


def test_a_second_signal_does_not_disturb_the_end(tmp_path):
    (tmp_path / "work.py").write_text(
        textwrap.dedent("""
        import os, signal
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            open("saved", "w").close()
        """)
    )
    process = job("import work", cwd=tmp_path)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (128 + signal.SIGINT, "[test] ended by SIGINT\n")
    assert (tmp_path / "saved").exists()
