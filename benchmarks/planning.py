"""Time Snakemake's planning of many jobs, and write the table of docs/scaling.md.

Nothing is trained. A tree of finished jobs is faked: every output is the end of a file, and
``snakemake --touch`` records it as made.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from rnncells.jobs.files import ENDS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/scaling.md"
CELLS = (
    *("sRNN", "TRNN", "MTRNN", "LSTM", "GRU", "UGRNN", "AntisymmetricRNN", "ESN", "BRC"),
    *("PC-RNN-V", "PC-RNN-GC", "PC-RNN-HC-A", "PC-RNN-HC-M", "PC-RNN-GC-HC-A", "PC-RNN-GC-HC-M"),
    "nBRC",
)
LENGTHS = (10, 30, 100)
SIZES = tuple(range(10, 100, 10))


def configuration(
    seeds: int,
    cells: Sequence[str] = CELLS,
    lengths: Sequence[int] = LENGTHS,
    sizes: Sequence[int] = SIZES,
) -> dict:
    """Return a configuration of ``seeds`` jobs for every cell, length and size."""
    study = {
        "task": "copy_first_input",
        "cells": list(cells),
        "lengths": list(lengths),
        "hidden_sizes": list(sizes),
        "seeds": seeds,
        "seeds_per_job": 1,
    }
    return {"device": "cpu", "studies": {"large": study}}


@dataclass(frozen=True)
class Report:
    """What a call of Snakemake said and took: processor seconds, and memory in MB."""

    text: str
    seconds: float
    memory: float

    @property
    def jobs(self) -> dict[str, int]:
        """How many jobs of each rule are planned."""
        table = re.search(r"^Job stats:\njob .*\n-.*\n((?:\w+ +\d+\n)*)", self.text, re.M)
        return {k: int(v) for k, v in map(str.split, table[1].splitlines())} if table else {}


def snakemake(folder: Path, config: Mapping, *arguments: str) -> Report:
    """Call Snakemake on a configuration, with ``folder`` as its working directory.

    Raises:
        RuntimeError: if it fails; the message is what it said.
    """
    file, said = folder / "config.yaml", folder / "said.txt"
    file.write_text(yaml.safe_dump(dict(config)))
    command = [sys.executable, "-m", "snakemake", "--configfile", str(file), "--cores", "1"]
    with said.open("w") as out:
        process = subprocess.Popen(
            [*command, "--directory", str(folder), *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        # Unlike wait(), this tells the memory of this child alone.
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = said.read_text()
    if process.returncode:
        raise RuntimeError(text)
    return Report(text, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def fake(folder: Path, config: Mapping) -> None:
    """Make Snakemake believe that all jobs of a configuration have run."""
    plan = snakemake(folder, config, "--dry-run").text
    made = re.findall(r"^    (?:output|benchmark): (.*)$", plan, re.M)
    for name in (name for names in made for name in names.split(", ")):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(ENDS.get(file.suffix, b"\n"))
    # All jobs are forced, because of files that it does not know Snakemake records nothing.
    snakemake(folder, config, "--touch", "--forceall", "--quiet")


def row(what: str, jobs: int, report: Report) -> str:
    """Write a measurement as a row of the table, and print it."""
    line = f"| {what} | {jobs:,} | {report.seconds:.1f} | {report.memory:,.0f} |"
    print(line, flush=True)
    return line


def measure(folder: Path) -> list[str]:
    """Return the rows of the table."""
    rows = []
    for seeds in (7, 70):
        config = configuration(seeds)
        loud = snakemake(folder, config, "--dry-run")
        quiet = snakemake(folder, config, "--dry-run", "--quiet")
        rows.append(row("a new study, `-n`", loud.jobs["train"], loud))
        rows.append(row("the same, `-n --quiet`", loud.jobs["train"], quiet))
    *others, _ = CELLS
    before, after = configuration(5, others), configuration(5)
    fake(folder, before)
    checked, added = (snakemake(folder, config, "--dry-run") for config in (before, after))
    finished = len(others) * len(LENGTHS) * len(SIZES) * 5
    rows.append(row(f"{finished:,} finished trainings", checked.jobs.get("train", 0), checked))
    rows.append(row("these and a new cell", added.jobs["train"], added))
    return rows


def main() -> None:
    """Measure, and put the table into the page."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    head = ["| what is planned | trainings to run | seconds | memory (MB) |", "|---|--:|--:|--:|"]
    table = "".join(f"{line}\n" for line in (*head, *rows))
    page = re.sub(r"(?:^\|.*\n)+", table, PAGE.read_text(), count=1, flags=re.M)
    PAGE.write_text(page)
    print(f"{PAGE.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
