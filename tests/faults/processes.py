"""The processes that this suite starts: every one is marked, waited for, and ended."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

#: In the environment of every process that this suite starts, and so of all their descendants.
MARK = f"faults of {os.getpid()}"
#: No single wait is longer than this (seconds).
PATIENCE = 400.0
#: The ids of those that serve several tests.
LASTING: set[int] = set()


def environment(source: Path, **more: str) -> dict[str, str]:
    """Return an environment: the library of ``source``, one thread, and the mark."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | threads | {"PYTHONPATH": str(source / "src"), "FAULTS": MARK} | more


def living() -> list[psutil.Process]:
    """Return the processes of this suite that are alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FAULTS") == MARK and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue  # it has just ended, or belongs to somebody else
    return found


def end(processes: list[psutil.Process]) -> None:
    """End processes, and wait until they are gone."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


def wait_for(condition: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Return what ``condition`` gives as soon as that is true."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience:.0f} s in vain: {what}")
