"""Train a run of the reference results again, and compare.

``make verify`` does it with the run that took least time, ``make verify RUN=...`` with another:
``python -m rnncells.results.verify [RUN]``. Exit code 0: it agrees. ``make record`` writes the
reference results from ``results/``: ``python -m rnncells.results.verify --record CONFIG``.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch

from ..cells import cell_class
from ..jobs.errors import UserError
from ..study.models import RunSpec
from ..study.plan import resolve
from ..study.read import read_or_exit
from ..tasks import task_class
from ..training.loop import describe_device, resolve_device, train
from .provenance import record
from .reference import Reference, differences, find, kept, same_machine, write_references

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs/reference"


def verify(reference: Reference) -> tuple[bool, list[str], list[str]]:
    """Train a reference's seeds again.

    Returns:
        whether every bit has to agree, in what the machine differs from the reference's, and in
        what the numbers do, beyond what is allowed.
    """
    its = reference.record
    spec = RunSpec(**its["parameters"])
    task = task_class(spec.task)
    data = None if its["data"] is None else task.Data(**its["data"]).make()
    names = {"lr", *task.search_space, *cell_class(spec.cell).search_space}
    hyperparameters = [
        {name: member[name] for name in names & member.keys()} for member in its["members"]
    ]
    result = train(spec, its["seeds"], hyperparameters, data)
    device = describe_device(resolve_device(spec.device))
    here = record(rule="verify", parameters={}, seeds=[], seconds=result.seconds, device=device)
    others = same_machine(its, here)
    found = differences(reference.metrics, kept(result.metrics), task.metric, not others)
    return not others, others, found


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="", help="the run; else the quickest")
    parser.add_argument("--record", metavar="CONFIG", help="write the reference results instead")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    torch.set_num_threads(1)  # as a job has it
    try:
        if given.record:
            plan = resolve(read_or_exit(given.record))
            written = write_references(given.results, plan, given.folder)
            print(f"{given.folder}: {len(written)} runs")
            return 0
        reference = find(given.folder, given.run)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    seconds = reference.record["seconds"]
    print(f"{reference.name}: took {seconds:.0f} s when it was recorded", flush=True)
    exact, others, found = verify(reference)
    how = "to the last bit" if exact else f"within the tolerance for {'; '.join(others)}"
    for line in found[:10]:
        print(f"  {line}")
    if len(found) > 10:
        print(f"  and {len(found) - 10} more")
    print(f"{'DIFFERS, compared' if found else 'agrees'} {how}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
