"""Copies of the project that tests may harm, in which Snakemake is started as by a user."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import yaml

from .processes import PATIENCE, environment, living, wait_for

ROOT = Path(__file__).parents[2]


class Project:
    """A folder with a copy of the project, and a configuration of its own (``faults.yaml``)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.starts = 0
        #: How long an undisturbed run lasts.
        self.seconds = 0.0

    @classmethod
    def new(cls, folder: Path, config: dict) -> "Project":
        """Copy the project into a folder."""
        for name in ("src", "workflow", "config", "envs"):
            shutil.copytree(
                ROOT / name,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".snakemake"),
            )
        project = cls(folder)
        project.configure(config)
        return project

    def configure(self, config: dict) -> None:
        (self.folder / "faults.yaml").write_text(yaml.safe_dump(config))

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def start(self, *arguments: str) -> "Head":
        self.starts += 1
        return Head(self.folder, self.folder / f"output-{self.starts}.txt", arguments)

    def run(self, *arguments: str) -> "Head":
        head = self.start(*arguments)
        head.wait()
        return head

    def succeed(self, *arguments: str) -> "Head":
        head = self.run(*arguments)
        assert head.code == 0, head.text
        return head

    def clear(self) -> None:
        """Go back to the state before the first run."""
        for name in ("results", "logs", ".snakemake"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


class Head:
    """A Snakemake process, in a process group of its own, as a shell puts it."""

    def __init__(self, folder: Path, output: Path, arguments: tuple[str, ...]):
        self.output = output
        command = [sys.executable, "-m", "snakemake", "--configfile", "faults.yaml", "--cores", "2"]
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def wait(self, patience: float = PATIENCE) -> int:
        return self.process.wait(patience)

    @property
    def code(self) -> int | None:
        """The exit code; None while the process runs."""
        return self.process.poll()

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return self.output.read_text(errors="replace")

    def kill(self) -> None:
        """Kill this process and none of its jobs, as the kernel does when memory runs out."""
        self.process.kill()
        self.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(number)

    def send_to_all(self, number: signal.Signals) -> None:
        """Send a signal to this process and its jobs, as a terminal does."""
        os.killpg(self.process.pid, number)

    def job(self, script: str) -> psutil.Process:
        """Wait for a job that runs ``script``."""
        return wait_for(lambda: running(script) or self._ended(), f"a job that runs {script}")

    def _ended(self) -> None:
        assert self.code is None, self.text


def running(script: str) -> psutil.Process | None:
    """Return a job that runs ``script`` at this moment."""
    for process in living():
        try:
            if process.cmdline()[-1].endswith(f".{script}.py"):
                return process
        except (psutil.Error, IndexError):
            continue
    return None
