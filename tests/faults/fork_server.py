"""Run scripts of the workflow in forks of a process that has imported everything already.

A job spends seconds on its imports and on loading compiled code and, here, milliseconds on its
work; so forks let tests interrupt the work a hundred times. Orders come as lines of JSON on stdin,
answers go to stdout:

    {"run": script, "folder": ..., "output": file, "environment": {...}}  ->  process id
    {"wait": process id}  ->  exit code, negative for a signal

``FAULT_AT=[what, name, n]`` in the environment makes the job die (SIGKILL) just before it does that
for the n-th time with a file of that name below ``results``: opening it to write, syncing,
renaming, removing it. ``FAULT_LIST=file`` has it write the list of these operations to that file at
its end. ``FAULT_CLOCK=1`` makes the clock of the wall (``time.time``) jump by a day, forth and
back, at every look at it.
"""

import gc
import importlib
import itertools
import json
import os
import re
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path

from rnncells.jobs import interruption

IMPORTED = (
    "matplotlib.pyplot",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "scipy.linalg",
    "skopt",
    "snakemake.iocontainers",
    "snakemake.script",
    "rnncells.figures.accuracy",
    "rnncells.figures.drawing",
    "rnncells.figures.training_loss",
    "rnncells.search.optimum",
    "rnncells.results.runs",
    "rnncells.search.loop",
    "rnncells.results.tables",
    "rnncells.tasks.binary_addition",
    "rnncells.tasks.copy_first_input",
    "rnncells.tasks.trajectory_generation",
    "rnncells.search.trials",
)
#: The cells of the studies, whose compiled code is loaded already too.
CELLS = ("GRU", "nBRC", "sRNN")


class FileOperations:
    """Lists the file operations of this process below ``results``, and may die at one."""

    def __init__(self, fatal: list):
        self.fatal = fatal
        self.all: list[list[str]] = []
        sys.addaudithook(self.hook)
        sync = os.fsync
        os.fsync = lambda file: (self.happens("sync", opened(file)), sync(file))[1]

    def hook(self, event: str, arguments: tuple) -> None:
        writes = event == "open" and arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in ("os.rename", "os.remove")) and "results" in str(arguments[0]):
            self.happens(event, str(arguments[0]))

    def happens(self, what: str, path: str) -> None:
        # Temporary files have eight random characters in their names.
        operation = [what, re.sub(r"\.[0-9a-f]{8}\.part", ".part", Path(path).name)]
        self.all.append(operation)
        if [*operation, self.all.count(operation)] == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def opened(file: int) -> str:
    """Return the path of an open file."""
    return os.readlink(f"/proc/self/fd/{file}")


def become(order: dict) -> FileOperations:
    """Turn this fork into a job of its own: process group, folder, output."""
    os.setpgid(0, 0)
    interruption._parent = os.getppid()
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    out = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if os.environ.get("FAULT_CLOCK"):
        wall, jumps = time.time, itertools.cycle((86400, -86400))
        time.time = lambda: wall() + next(jumps)
    return FileOperations(json.loads(os.environ.get("FAULT_AT", "[]")))


def run(script: str, operations: FileOperations) -> None:
    """Run a script and end, but do not take apart all that is imported, which takes a second."""
    code: str | int | None = 1
    leave, os._exit = os._exit, sys.exit  # which a script calls at its end
    try:
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    if listed := os.environ.get("FAULT_LIST"):
        Path(listed).write_text(json.dumps(operations.all))
    sys.stdout.flush()
    sys.stderr.flush()
    leave(code if isinstance(code, int) else bool(code))


def load_kernels() -> None:
    """Let every cell learn for one step."""
    from rnncells.study.models import RunSpec
    from rnncells.training.loop import train

    for cell in CELLS:
        spec = RunSpec(
            task="copy_first_input",
            cell=cell,
            length=2,
            hidden_size=2,
            training={"train_sequences": 1, "test_sequences": 1, "batch_size": 1, "epochs": 1},
            device="cpu",
        )
        train(spec, seeds=[0], hyperparameters=[{"lr": 0.001}])


def main() -> None:
    for module in IMPORTED:
        importlib.import_module(module)
    load_kernels()
    gc.freeze()  # what is collected in a fork would be copied
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        elif (answer := os.fork()) == 0:
            run(order["run"], become(order))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
