"""The process of a script ends at once, and loses neither its exit code nor a line."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


def run_script(
    folder: Path, body: str, before: str = "snakemake = 7"
) -> subprocess.CompletedProcess:
    """Run a script as Snakemake does: an object comes first, then the script."""
    lines = ["import logging, sys", textwrap.dedent(body), "run(main, snakemake)"]
    text = "\n".join([before, "from rnncells.jobs.script import run", *lines])
    (folder / "script.py").write_text(text)
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=60
    )


def test_nothing_is_taken_apart_at_the_end(tmp_path):
    done = run_script(
        tmp_path,
        """
        import atexit, gc
        from rnncells.jobs.job import job
        assert not gc.isenabled()  # while the script imports
        atexit.register(print, "taken apart")

        def main(snakemake):
            assert gc.isenabled()
            with job("test", "job.log"):
                logging.getLogger("rnncells").info("made %d", snakemake)
            sys.stdout.write("no end of line")
        """,
    )
    assert (done.returncode, done.stdout) == (0, "no end of line")
    assert done.stderr == "[test] made 7\n"
    assert "INFO made 7" in (tmp_path / "job.log").read_text()


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        ("raise ValueError('no such thing')", 1, "ValueError: no such thing"),
        ("os.kill(os.getpid(), 15); time.sleep(9)", 128 + 15, "ended by SIGTERM"),
    ],
)
def test_a_job_that_fails_still_reports(tmp_path, fault, code, line):
    body = f"""
        import os, time
        from rnncells.jobs.job import job

        def main(snakemake):
            with job("test", "job.log"):
                {fault}
    """
    done = run_script(tmp_path, body)
    assert (done.returncode, done.stderr) == (code, f"[test] {line}\n")
    assert line in (tmp_path / "job.log").read_text()


def test_an_error_outside_of_a_job_has_its_traceback(tmp_path):
    done = run_script(tmp_path, "def main(snakemake):\n    raise KeyError('x')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_elsewhere_the_import_has_no_effect(tmp_path):
    body = """
        import gc
        assert gc.isenabled()

        def main(snakemake):
            sys.exit(3)
    """
    assert run_script(tmp_path, body, before="").returncode == 1  # there is no object to give
    check = "import gc, rnncells.jobs.script; assert gc.isenabled()"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
