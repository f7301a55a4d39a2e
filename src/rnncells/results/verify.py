"""Train a run of the archive again, and compare.

``make verify`` does it with the run that took least time, ``make verify RUN=...`` with another:
``python -m rnncells.results.verify [RUN]``. Exit code 0: it agrees.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch

from ..cells import cell_class
from ..jobs.errors import UserError
from ..study.models import RunSpec
from ..tasks import task_class
from ..training.loop import describe_device, resolve_device, train
from .agreement import differences, same_machine
from .archive import FOLDER, Run, find
from .provenance import record


def verify(run: Run) -> tuple[bool, list[str], list[str]]:
    """Train a run's seeds again.

    Returns:
        whether every bit has to agree, in what the machine differs from that of the run, and in
        what the numbers do, beyond what is allowed.
    """
    its = run.record
    spec = RunSpec(**its["parameters"])
    task = task_class(spec.task)
    data = None if run.data is None else task.Data(**run.data).make()
    names = {"lr", *task.search_space, *cell_class(spec.cell).search_space}
    hyperparameters = [
        {name: member[name] for name in names & member.keys()} for member in its["members"]
    ]
    result = train(spec, its["seeds"], hyperparameters, data)
    device = describe_device(resolve_device(spec.device))
    here = record(rule="verify", parameters={}, seeds=[], seconds=result.seconds, device=device)
    others = same_machine(its, here)
    found = differences(run.metrics, result.metrics, task.metric, not others)
    return not others, others, found


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default="", help="the run; else the quickest")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    torch.set_num_threads(1)  # as a job has it
    try:
        run = find(given.folder, given.run)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{run.name}: took {run.record['seconds']:.0f} s when it was recorded", flush=True)
    exact, others, found = verify(run)
    how = "to the last bit" if exact else f"within the tolerance for {'; '.join(others)}"
    for line in found[:10]:
        print(f"  {line}")
    if len(found) > 10:
        print(f"  and {len(found) - 10} more")
    print(f"{'DIFFERS, compared' if found else 'agrees'} {how}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
