"""Jobs of the workflow, each run by itself in a fork of a prepared process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from .comparison import COSTS, assert_equal, assert_whole, files_of
from .processes import LASTING, environment
from .projects import Project

HERE = Path(__file__).parent


class Job:
    """A job of a finished run, with the script that Snakemake made for it, parameters and all."""

    def __init__(self, script: Path):
        self.script = script
        preamble = script.read_text().split("snakemake preamble end")[0]
        before, found = sys.path[:], {"__file__": str(script)}
        exec(preamble, found)
        sys.path[:] = before
        wildcards = found["snakemake"].wildcards
        self.study: str = wildcards.get("study", "")
        #: Of the figures each one counts as a rule.
        self.rule: str = "_".join(filter(None, (found["snakemake"].rule, wildcards.get("figure"))))
        self.log = str(found["snakemake"].log[0])
        self.inputs = _results(found["snakemake"].input)
        self.outputs = _results(found["snakemake"].output)


def _results(files: list) -> list[str]:
    """Return those of the files that are results, relative to the folder of results."""
    return [str(Path(file).relative_to("results")) for file in files if "results/" in str(file)]


def jobs(project: Project) -> list[Job]:
    """Return the jobs of a project that ran with ``--skip-script-cleanup``."""
    return [Job(script) for script in sorted((project.folder / ".snakemake/scripts").glob("*.py"))]


class Fork:
    """A folder for one job at a time, and a process that forks it."""

    def __init__(self, folder: Path, reference: Project):
        self.folder = folder
        self.reference = reference.results
        folder.mkdir()
        for name in ("src", "workflow"):
            (folder / name).symlink_to(reference.folder / name)
        record = json.loads(next(self.reference.rglob("run.json")).read_text())
        self.server = subprocess.Popen(
            [sys.executable, HERE / "fork_server.py"],
            env=environment(
                reference.folder,
                RNNCELLS_CHECKPOINT_SECONDS="0.1",
                RNNCELLS_CONFIG_HASH=record["config_hash"],
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        LASTING.add(self.server.pid)

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def ready(self) -> "Fork":
        """Wait until the server has imported everything."""
        assert self._answer() == "ready"
        return self

    def prepare(self, job: Job) -> None:
        """Make the folder what it is before the job: its inputs are there, and nothing else."""
        shutil.rmtree(self.folder / "logs", ignore_errors=True)
        # Not the folder itself: it may be on a disk of its own.
        for path in self.results.glob("*"):
            shutil.rmtree(path)
        for name in job.inputs:
            (self.results / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.reference / name, self.results / name)
        self.clean(job)

    def clean(self, job: Job) -> None:
        """Do what Snakemake does before it starts a job: remove its outputs, make their folders."""
        for name in job.outputs:
            (self.results / name).parent.mkdir(parents=True, exist_ok=True)
            (self.results / name).unlink(missing_ok=True)
        (self.folder / "terminal.txt").unlink(missing_ok=True)

    def start(self, job: Job, **more: object) -> int:
        """Start a job and return its process id; ``more`` goes to its environment."""
        return self._ask(
            run=str(job.script),
            folder=str(self.folder),
            output=str(self.folder / "terminal.txt"),
            environment={name: str(value) for name, value in more.items()},
        )

    def wait(self, pid: int) -> int:
        """Return a job's exit code, negative if a signal ended it."""
        return self._ask(wait=pid)

    def run(self, job: Job, **more: object) -> int:
        return self.wait(self.start(job, **more))

    def interrupt(self, job: Job, after: float, number: signal.Signals, **more: object) -> int:
        """Start a job, send it a signal after some seconds, and return its exit code."""
        pid = self.start(job, **more)
        time.sleep(after)
        os.kill(pid, number)  # it has not been waited for, so the number is still its own
        return self.wait(pid)

    def finish(self, job: Job, **more: object) -> None:
        """Run a job again, as Snakemake would, and compare what it makes with the reference."""
        self.clean(job)
        code = self.run(job, **more)
        assert code == 0, self.terminal
        for name in job.outputs:
            if Path(name).name not in COSTS:
                assert_equal(self.results / name, self.reference / name)
        journals = [name for name in files_of(self.reference) if "/journal/" in name]
        expected = {*job.inputs, *job.outputs, *(journals if job.rule == "search" else [])}
        assert set(files_of(self.results)) == expected

    def assert_whole(self, job: Job) -> None:
        """Fail if something that is not the job's whole result stands in its place."""
        assert_whole(self.results, self.reference, job.outputs)

    @property
    def terminal(self) -> str:
        """What the job printed."""
        return (self.folder / "terminal.txt").read_text(errors="replace")

    def close(self) -> None:
        self.server.kill()
        self.server.wait()

    def _ask(self, **order: object) -> int:
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return self._answer()

    def _answer(self) -> int | str:
        return json.loads(self.server.stdout.readline())


class Forks:
    """Several forks, among which trials are divided."""

    def __init__(self, folder: Path, reference: Project, number: int = 2):
        made = [Fork(folder / f"fork-{k}", reference) for k in range(number)]
        self.all = [fork.ready() for fork in made]
        self._lives: dict[Job, float] = {}

    def life(self, job: Job) -> float:
        """Return how many seconds a job lasts in a fork."""
        if job not in self._lives:
            fork = self.all[0]
            fork.prepare(job)
            began = time.perf_counter()
            fork.finish(job)
            self._lives[job] = time.perf_counter() - began
        return self._lives[job]

    def each(self, trial: Callable[..., None], *arguments: list) -> None:
        """Run ``trial(fork, ...)`` for all arguments, side by side; the first failure is raised."""
        free: SimpleQueue[Fork] = SimpleQueue()
        for fork in self.all:
            free.put(fork)

        def run(*given: object) -> None:
            fork = free.get()
            try:
                trial(fork, *given)
            finally:
                free.put(fork)

        with ThreadPoolExecutor(len(self.all)) as pool:
            trials = [pool.submit(run, *given) for given in zip(*arguments, strict=True)]
            for done in trials:
                done.result()

    def close(self) -> None:
        for fork in self.all:
            fork.close()
