"""Run scripts of the workflow in forks of a process that has imported everything already.

A job spends seconds on its imports and, here, milliseconds on its work; so forks let tests
interrupt the work a hundred times. Orders come as lines of JSON on stdin, answers go to stdout:

    {"run": script, "folder": ..., "output": file, "environment": {...}}  ->  process id
    {"wait": process id}  ->  exit code, negative for a signal

``FAULT_AT=n`` in the environment makes the job die (SIGKILL) just before its n-th file operation
below ``results``: opening to write, syncing, renaming, removing. ``FAULT_COUNT=file`` has it write
the number of its operations to that file at its end. ``FAULT_CLOCK=1`` makes the clock of the wall
(``time.time``) jump by a day, forth and back, at every look at it.
"""

import gc
import importlib
import itertools
import json
import os
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path

IMPORTED = (
    "matplotlib.pyplot",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "scipy.linalg",
    "seaborn",
    "skopt",
    "snakemake.iocontainers",
    "snakemake.script",
    "rnncells.figures",
    "rnncells.optimum",
    "rnncells.runs",
    "rnncells.search",
    "rnncells.tables",
    "rnncells.tasks.binary_addition",
    "rnncells.tasks.copy_first_input",
    "rnncells.tasks.trajectory_generation",
    "rnncells.trials",
)


class FileOperations:
    """Counts the file operations of this process below ``results``, and may die at one."""

    def __init__(self, fatal: int):
        self.fatal = fatal
        self.count = 0
        sys.addaudithook(self.hook)
        sync = os.fsync
        os.fsync = lambda file: (self.happens(), sync(file))[1]

    def hook(self, event: str, arguments: tuple) -> None:
        writes = event == "open" and arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in ("os.rename", "os.remove")) and "results" in str(arguments[0]):
            self.happens()

    def happens(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def become(order: dict) -> FileOperations:
    """Turn this fork into a job of its own: process group, folder, output."""
    os.setpgid(0, 0)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    out = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if os.environ.get("FAULT_CLOCK"):
        wall, jumps = time.time, itertools.cycle((86400, -86400))
        time.time = lambda: wall() + next(jumps)
    return FileOperations(int(os.environ.get("FAULT_AT", 0)))


def run(script: str, operations: FileOperations) -> None:
    """Run a script and end, but do not take apart all that is imported, which takes a second."""
    code: str | int | None = 1
    try:
        runpy.run_path(script, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    if counted := os.environ.get("FAULT_COUNT"):
        Path(counted).write_text(str(operations.count))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else bool(code))


def main() -> None:
    for module in IMPORTED:
        importlib.import_module(module)
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
