"""Snakemake at the head of a run, with the project's own SLURM profile."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
TABLES = ("metrics", "examples", "summary")


class Head:
    """A Snakemake process in a folder of its own; started by :meth:`start`."""

    def __init__(self, folder: Path, config: dict):
        self.folder = folder
        self.config = config
        self.log = folder / "output.txt"
        self.process: subprocess.Popen | None = None
        (folder / "config.yaml").write_text(yaml.safe_dump(config))

    def start(self, *arguments: str, profile: str = "slurm") -> "Head":
        """Start the run; one with another profile stays on this machine."""
        command = [sys.executable, "-m", "snakemake", "--configfile", "config.yaml"]
        command += ["--snakefile", ROOT / "workflow/Snakefile"]
        command += ["--workflow-profile", ROOT / "workflow/profiles" / profile, "--cores", "2"]
        if profile == "slurm":
            # Jobs of seconds are not to wait for a look at their state.
            command += ["--slurm-init-seconds-before-status-checks", "4"]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return self

    def start_tables(self, *arguments: str, profile: str = "slurm") -> "Head":
        """Start what makes the tables of all studies."""
        tables = [f"results/tables/{study}/summary.csv" for study in self.config["studies"]]
        return self.start(*tables, *arguments, profile=profile)

    def succeed(self) -> "Head":
        """Wait for the end, which has to be a good one."""
        assert self.process.wait(400) == 0, self.output
        return self

    def kill(self) -> None:
        """Kill the process, and none of its jobs."""
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def submitted(self) -> dict[str, dict[str, str]]:
        """Return what was asked for, by SLURM's number of the job: the rule and its resources."""
        asked, jobs = {}, {}
        for block in re.split(r"\n(?=\[|rule|Job \d)", self.output):
            if rule := re.match(r"rule (\w+):", block):
                resources = re.search(r"^ +resources: (.*)$", block, re.M)[1]
                number = re.search(r"^ +jobid: (\d+)", block, re.M)[1]
                asked[number] = {"rule": rule[1]} | dict(
                    part.split("=", 1) for part in resources.split(", ")
                )
            elif job := re.match(r"Job (\d+) has been submitted with SLURM jobid (\d+)", block):
                jobs[job[2]] = asked[job[1]]
        return jobs

    def wait_for_job(self, pattern: str, seconds: float = 200) -> str:
        """Wait until a job has printed something; return SLURM's number of it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for job in self.submitted():
                if re.search(pattern, self.slurm_log(job)):
                    return job
            time.sleep(0.5)
        raise AssertionError(f"no job has printed {pattern!r}:\n{self.output}")

    def slurm_log(self, job: str) -> str:
        """Return what a job has printed, given SLURM's number of it."""
        files = (self.folder / "logs/slurm").glob(f"**/{job}.log")
        return "".join(file.read_text(errors="replace") for file in files)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the final tables of all studies, without what they cost."""
        folder = self.folder / "results/tables"
        return {
            f"{study}/{name}": pd.read_parquet(folder / study / f"{name}.parquet")
            for study in self.config["studies"]
            for name in TABLES
        }


def assert_same(tables: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    """Compare tables, to the last bit."""
    assert set(tables) == set(expected)
    for name, table in tables.items():
        assert len(table)
        pd.testing.assert_frame_equal(table, expected[name], check_exact=True, obj=name)
