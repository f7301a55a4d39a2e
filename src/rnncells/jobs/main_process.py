"""Snakemake's main process: one per folder, and a killed one stands in nobody's way.

Snakemake locks its folder by leaving files there. They stay when it is killed, and the next start
asks the user whether they are stale. The kernel knows: its lock on an open file ends with the
process that holds it. So a main process holds such a lock as long as it lives.
"""

import os
import shutil
import signal
from pathlib import Path

from filelock import FileLock

from .locks import take

FOLDER = Path(".snakemake")
#: In Snakemake's folder: the lock. Its content says which process has, or last had, it.
LOCK = "main_process.lock"
#: Held for the life of this process: a lock ends with its object.
_held: list[FileLock] = []


def clear_the_way(folder: Path = FOLDER) -> str | None:
    """Remove the lock that a killed Snakemake left in its folder.

    While another main process is alive nothing is removed, nor on a file system that cannot lock.
    Some file systems have locks, but each machine its own; so what another machine left stays too.

    Returns:
        what the user should know about other main processes, if anything.
    """
    folder.mkdir(exist_ok=True)
    if (lock := take(folder / LOCK)) is None:
        return f"Another Snakemake is at work in this folder ({_holder(folder)})."
    try:
        stale = folder / "locks"
        if not lock.is_locked or not any(stale.glob("*.lock")):
            return None
        last = (folder / LOCK).read_text()
        if last and not last.endswith(f" on {os.uname().nodename}"):
            return (
                f"The last Snakemake in this folder was {last}, and has left its lock. "
                "If it is not alive there, remove the lock with --unlock."
            )
        shutil.rmtree(stale, ignore_errors=True)
    finally:
        lock.release()
    return (
        "The last Snakemake in this folder was killed; its lock is removed. "
        "Jobs that it left on a cluster may still run: squeue --me shows them."
    )


def stay_alone(folder: Path = FOLDER) -> str | None:
    """Hold the folder for as long as this process lives.

    Snakemake's own lock does that too, but two main processes that start at the same moment both
    get it. On a file system that cannot lock, it has to do.

    Returns:
        why this process must not go on, if so.
    """
    folder.mkdir(exist_ok=True)
    if (lock := take(folder / LOCK)) is None:
        return (
            f"Another Snakemake is at work in this folder ({_holder(folder)}). "
            "Wait until it has finished, or end it."
        )
    (folder / LOCK).write_text(f"process {os.getpid()} on {os.uname().nodename}")
    _held.append(lock)
    return None


def interrupt_once() -> None:
    """Let the first Ctrl-C end Snakemake, which waits for its jobs, and let others change nothing.

    Python raises KeyboardInterrupt at every one, in the middle of that ending too, which then stops
    with a traceback, and without waiting.
    """
    asked = False

    def handle(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            os.write(2, b"Ending already: jobs save their work, which takes a few seconds.\n")
            return
        asked = True
        raise KeyboardInterrupt

    # Where Ctrl-C is ignored (nohup, background jobs of a shell), or somebody else's, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, handle)


def _holder(folder: Path) -> str:
    return (folder / LOCK).read_text() or "it has just begun"
