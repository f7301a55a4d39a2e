"""The Snakemake process at the head of a run: alone in its folder, and clear about failures.

Snakemake locks its folder by leaving files there. They stay when it is killed, and the next start
asks the user whether they are stale. The kernel knows: its lock on an open file ends with the
process that holds it, whatever that dies of. So a head holds such a lock as long as it lives.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

FOLDER = Path(".snakemake")
#: Where profiles/slurm puts what jobs print.
SLURM_LOGS = Path("logs/slurm")
#: Open for the life of this process, because closing the file would give the lock back.
_held: list[IO[str]] = []


def clear_the_way(folder: Path = FOLDER) -> str | None:
    """Remove the lock that a killed Snakemake left in its folder.

    While another head is alive nothing is removed, nor on a file system that cannot lock. Some
    file systems have locks, but each machine its own; so what another machine left stays too.

    Returns:
        what the user should know about other heads, if anything.
    """
    try:
        lock = _take(folder)
    except BlockingIOError:
        return f"Another Snakemake is at work in this folder ({_holder(folder)})."
    except OSError:
        return None
    with lock:
        stale = folder / "locks"
        if not any(stale.glob("*.lock")):
            return None
        last = (folder / "head").read_text()
        if last and not last.endswith(f" on {os.uname().nodename}"):
            return (
                f"The last Snakemake in this folder was {last}, and has left its lock. "
                "If it is not alive there, remove the lock with --unlock."
            )
        shutil.rmtree(stale, ignore_errors=True)
    return (
        "The last Snakemake in this folder was killed; its lock is removed. "
        "Jobs that it left on a cluster may still run: squeue --me shows them."
    )


def stay_alone(folder: Path = FOLDER) -> str | None:
    """Hold the folder for as long as this process lives.

    Snakemake's own lock does that too, but two heads that start at the same moment both get it. On
    a file system that cannot lock, it has to do.

    Returns:
        why this process must not go on, if so.
    """
    try:
        lock = _take(folder)
    except BlockingIOError:
        return (
            f"Another Snakemake is at work in this folder ({_holder(folder)}). "
            "Wait until it has finished, or end it."
        )
    except OSError:
        return None
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {os.uname().nodename}")
    lock.flush()
    _held.append(lock)
    return None


def _take(folder: Path) -> IO[str]:
    """Return the folder's lock file, locked.

    Raises:
        BlockingIOError: if another process holds it.
        OSError: if the file system has no locks.
    """
    folder.mkdir(exist_ok=True)
    file = (folder / "head").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _holder(folder: Path) -> str:
    return (folder / "head").read_text() or "it has just begun"


def slurm_logs(rule: str, wildcards: Iterable[str], folder: Path = SLURM_LOGS) -> list[Path]:
    """Return what the last SLURM job of a rule has printed, as a list of one file or none."""
    printed = (folder / f"rule_{rule}" / "_".join(wildcards).replace("/", "_")).glob("*.log")
    return sorted(printed, key=lambda file: file.stat().st_mtime)[-1:]


def ends_of_logs(
    logs: Iterable[str | Path], files: int = 10, lines: int = 10, containing: str = ""
) -> str:
    """Return the last lines of logs, each under its path; beyond ``files`` logs the paths alone."""
    text = []
    for number, log in enumerate(map(Path, logs)):
        text.append(f"{log}:")
        if number < files:
            content = log.read_text(errors="replace").rstrip() if log.exists() else ""
            found = [line for line in content.splitlines() if containing in line]
            text += [f"    {line}" for line in found[-lines:] or ["(empty)"]]
    return "\n".join(text)
