"""Jobs and Snakemake itself are killed in the middle; the tables end as if nothing had happened."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest
import yaml

from .test_workflow import Project

CONFIG = {
    "device": "cpu",
    "checkpoint_seconds": 0.1,
    "studies": {
        "copy": {
            "task": "copy_first_input",
            "cells": ["slow:Slow"],
            "lengths": [10],
            "hidden_sizes": [16],
            "seeds": 2,
            "training": {"train_sequences": 4000, "test_sequences": 50, "epochs": 5},
        },
        "capacity": {
            "task": "trajectory_generation",
            "cells": ["slow:Slow"],
            "lengths": [10],
            "hidden_sizes": [16],
            "seeds": 1,
            "data": {"trajectories": 8, "points": 100, "via_points": [3, 5]},
            "hyperparameters": {
                "source": "search",
                "search": {"configurations": 2, "initial": 1, "batch": 2, "space": {"p": [1, 6]}},
            },
            "training": {"iterations": 200},
        },
    },
}
RUN = "results/runs/copy/cell=slow:Slow/length=10/hidden=16/layers=1/seeds=0-1"
SEARCH = "results/searches/capacity/cell=slow:Slow/length=10/hidden=16/layers=1"
TARGETS = (f"{RUN}/metrics.parquet", f"{SEARCH}/observations.csv")


# However fast the machine is, the trainings last long enough to be killed.
SLOW = """
import time
from rnncells.cells.leaky import SRNN

class Slow(SRNN):
    def project(self, x):
        time.sleep(0.01)
        return super().project(x)
"""


class Disturbed(Project):
    """A project whose processes are looked for and signalled."""

    def start(self, *arguments: str) -> subprocess.Popen:
        (self.folder / "slow.py").write_text(SLOW)
        (self.folder / "test.yaml").write_text(yaml.safe_dump(CONFIG))
        command = [sys.executable, "-m", "snakemake", "--configfile", "test.yaml", "--cores", "2"]
        return subprocess.Popen(
            [*command, *arguments, *TARGETS],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "output").open("a"),
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def jobs(self) -> dict[str, psutil.Process]:
        """Return the running jobs by the rule's name."""
        found = {}
        for process in psutil.process_iter(["cmdline"]):
            script = re.search(
                rf"{re.escape(str(self.folder))}/\.snakemake/scripts/\w+\.(\w+)\.py$",
                (process.info["cmdline"] or [""])[-1],
            )
            if script:
                found[script[1]] = process
        return found

    def kill_with_a_new_checkpoint(self, rule: str, number: int, seen: set) -> None:
        """Signal the rule's job as soon as it has written a checkpoint."""
        file = self.folder / {"train": RUN, "search": SEARCH}[rule] / ".checkpoint"
        wait_for(lambda: file.exists() and file.stat().st_ino not in seen)
        self.jobs()[rule].send_signal(number)
        seen.add(file.stat().st_ino)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def tables(project) -> dict[str, pd.DataFrame]:
    """Return what was computed; times are no part of it."""
    return {
        "metrics": pd.read_parquet(project.folder / RUN / "metrics.parquet"),
        "examples": pd.read_parquet(project.folder / RUN / "examples.parquet"),
        "observations": pd.read_csv(project.folder / SEARCH / "observations.csv").drop(
            columns="seconds"
        ),
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, pd.DataFrame]:
    project = Disturbed(tmp_path_factory.mktemp("undisturbed"))
    assert project.start().wait(120) == 0, project.output()
    return tables(project)


def test_killed_jobs_go_on_and_end_with_the_same_tables(tmp_path, undisturbed):
    project = Disturbed(tmp_path)
    # Snakemake itself is killed first. Its jobs write their checkpoints and end.
    head = project.start()
    checkpoint = project.folder / RUN / ".checkpoint"
    wait_for(checkpoint.exists)
    assert "train" in project.jobs()
    head.kill()
    head.wait()
    wait_for(lambda: not project.jobs())
    seen = {checkpoint.stat().st_ino}
    head = project.start("--nolock", "--retries", "2")
    for number in (signal.SIGKILL, signal.SIGTERM):
        for rule in ("train", "search"):
            project.kill_with_a_new_checkpoint(rule, number, seen)
    assert head.wait(120) == 0, project.output()

    for name, table in tables(project).items():
        pd.testing.assert_frame_equal(table, undisturbed[name], check_exact=True)
    for file in (f"{RUN}/run.json", f"{SEARCH}/search.json"):
        record = json.loads((project.folder / file).read_text())
        assert record["retries"] == 2
        assert record["resumed"] >= 2
    output = project.output()
    for line in ("checkpoint at step", "ended by SIGTERM", "resumed at step"):
        assert f"] {line}" in output
    assert "Traceback" not in output
    hidden = [p.name for p in (project.folder / "results").rglob(".*")]
    assert hidden == [".gitignore"] * hidden.count(".gitignore")


def test_ctrl_c_again_and_again_ends_cleanly(tmp_path):
    project = Disturbed(tmp_path)
    head = project.start()
    wait_for((project.folder / RUN / ".checkpoint").exists)
    for _ in range(20):
        if head.poll() is None:
            os.killpg(head.pid, signal.SIGINT)
            time.sleep(0.02)
    assert head.wait(60)
    wait_for(lambda: not project.jobs())
    output = project.output()
    assert "Ending already: jobs save their work" in output
    assert "ended by SIGINT" in output
    assert "Traceback" not in output
