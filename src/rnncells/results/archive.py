"""The archive: results that a repository keeps, from which ``results/`` can be filled again.

``make record`` copies what a configuration's jobs have computed, with its tables and figures, to
``docs/reproduction/<configuration>/``; ``make restore`` copies it back, and ``make figures`` then
draws the figures without training anything. Studies of a data file are left out, since the file is
not here.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..jobs.errors import UserError, did_you_mean
from ..jobs.files import read_json, read_table, whole, write_array, write_bytes, write_json
from ..study.models import StudyPlan
from ..study.plan import resolve
from ..study.read import read_or_exit

FOLDER = Path(__file__).parents[3] / "docs/reproduction"
#: What jobs compute, in the order in which it depends on each other.
COMPUTED = ("searches", "grids", "runs")
#: What is shown besides, and drawn anew after a restoration.
SHOWN = (
    "tables/{study}/*.csv",
    "figures/{study}/*.png",
    "figures/{study}/README.md",
    *(f"overall/{{configuration}}/*.{kind}" for kind in ("csv", "md", "png")),
)


@dataclass(frozen=True)
class Run:
    """A run of the archive.

    Attributes:
        name: ``<configuration>/<study>/cell=.../length=.../hidden=.../layers=.../seeds=...``.
        folder: where its files are.
        data: the settings of its data set, or None.
    """

    name: str
    folder: Path
    data: Mapping[str, Any] | None

    @cached_property
    def record(self) -> dict:
        """Its ``run.json``."""
        return read_json(self.folder / "run.json")

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Its metrics."""
        return read_table(self.folder / "metrics.parquet")


def record(results: Path, plan: Mapping[str, StudyPlan], folder: Path) -> int:
    """Copy what a configuration came to into the archive.

    Args:
        results: the folder ``results/`` of a finished workflow.
        plan: what it was made with.
        folder: where it goes; its name is the configuration's. What it held is replaced.

    Returns:
        the number of runs.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for study, part in _repeatable(plan).items():
        for kind in COMPUTED:
            for file in sorted((results / kind / study).rglob("[!.]*.*")):
                if "journal" not in file.parts and file.is_file():
                    _copy(file, folder / file.relative_to(results))
        if part.data is not None:
            (folder / "data").mkdir(parents=True, exist_ok=True)
            write_json(folder / f"data/{study}.json", part.data.model_dump())
        for pattern in SHOWN:
            for file in sorted(
                results.glob(pattern.format(study=study, configuration=folder.name))
            ):
                _copy(file, folder / file.relative_to(results))
    return len(list(archived(folder.parent, folder.name)))


def restore(folder: Path, plan: Mapping[str, StudyPlan], results: Path) -> int:
    """Copy what jobs have computed from the archive to where the workflow looks for it.

    What is there already stays.

    Args:
        folder: the configuration's folder in the archive.
        plan: what it was made with.
        results: the folder ``results/``.

    Returns:
        the number of files.

    Raises:
        UserError: if the archive has nothing of the configuration.
    """
    if not folder.is_dir():
        there = ", ".join(sorted(path.name for path in folder.parent.glob("*/"))) or "nothing"
        raise UserError(f"{folder}: nothing is archived of this configuration; there is: {there}")
    copied = 0
    for study, part in _repeatable(plan).items():
        if part.data is not None and not (made := results / f"data/{study}/data.npy").exists():
            made.parent.mkdir(parents=True, exist_ok=True)
            write_array(made, part.data.make())
            # Snakemake goes by times: what was computed from it comes from a day as old as this.
            os.utime(made, (0, 0))
    for age, kind in enumerate(COMPUTED, start=1):
        for study in _repeatable(plan):
            for file in sorted((folder / kind / study).rglob("*.*")):
                target = results / file.relative_to(folder)
                if not target.exists():
                    _copy(file, target)
                    os.utime(target, (age, age))
                    copied += 1
    return copied


def archived(folder: Path, configuration: str = "*") -> Iterator[Run]:
    """Yield the runs of the archive, or of one configuration's part."""
    for file in sorted(folder.glob(f"{configuration}/runs/**/run.json")):
        part = folder / file.relative_to(folder).parts[0]
        within = file.parent.relative_to(part / "runs")
        data = part / f"data/{within.parts[0]}.json"
        yield Run(f"{part.name}/{within}", file.parent, read_json(data) if data.exists() else None)


def find(folder: Path, name: str = "") -> Run:
    """Return the run of a name, or the one that took least time.

    Raises:
        UserError: if there is no such run.
    """
    known = {run.name: run for run in archived(folder)}
    if not known:
        raise UserError(f"{folder}: nothing is archived; `make record` does it")
    if not name:
        return min(known.values(), key=lambda run: run.record["seconds"])
    if name not in known:
        listed = "\n  ".join(sorted(known))
        raise UserError(
            f"RUN: nothing is archived of the run {name!r}{did_you_mean(name, known)}; there are\n"
            f"  {listed}"
        )
    return known[name]


def _repeatable(plan: Mapping[str, StudyPlan]) -> dict[str, StudyPlan]:
    """Return the studies whose data can be made again."""
    return {name: part for name, part in plan.items() if part.data is None or not part.data.files()}


def _copy(file: Path, target: Path) -> None:
    """Copy a file; a table in the encoding that takes least space."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix != ".parquet":
        write_bytes(target, file.read_bytes())
        return
    table = read_table(file)
    floats = table.select_dtypes("floating").columns
    with whole(target) as part:
        table.to_parquet(
            part,
            index=False,
            compression="zstd",
            compression_level=19,
            # Neighbouring numbers share their leading bytes, which are put side by side.
            use_dictionary=list(table.columns.difference(floats)),
            use_byte_stream_split=list(floats),
        )


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("record", "restore"))
    parser.add_argument("config", type=Path, help="the configuration file")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    folder = given.folder / given.config.stem
    try:
        plan = resolve(read_or_exit(given.config))
        if given.what == "record":
            print(f"{folder}: {record(given.results, plan, folder)} runs")
        else:
            print(f"{given.results}: {restore(folder, plan, given.results)} files")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
