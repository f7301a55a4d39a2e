"""What every job does around its one library call: log, listen to signals, fail well.

How many threads the numerical libraries may use, Snakemake says (OMP_NUM_THREADS and the like).
"""

import errno
import logging
import os
import platform
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from .errors import UserError
from .interruption import Interrupted, listening

logger = logging.getLogger("rnncells")

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def job(name: str, log: str | Path) -> Iterator[None]:
    """Run a job: lines go to its log and, with its name, to the terminal.

    A failure ends the process with exit code 1, and the terminal shows one line. The log holds the
    traceback, unless that would not help: a mistake of the user's, or a disk that is full. A
    signal that asks for the end gives exit code 128 + its number, as from a shell.

    Args:
        name: what the terminal calls the job.
        log: the log file.
    """
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setFormatter(logging.Formatter(f"[{name}] %(message)s"))
    # What other libraries have to say is for the log, not for the terminal.
    to_terminal.addFilter(lambda record: record.name.startswith("rnncells"))
    logging.basicConfig(level=logging.WARNING, handlers=[to_terminal], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk loses lines of the log, and nothing else
    logger.setLevel(logging.INFO)
    try:
        with listening():
            try:
                _open_log(Path(log))
                yield
            except Interrupted as interrupted:
                _end_by(interrupted)
            except Exception as error:
                _end_after(error)
    except Interrupted as interrupted:  # the parent process had died before
        _end_by(interrupted)


def _end_by(interrupted: Interrupted) -> NoReturn:
    logger.error("ended by %s", interrupted.signal.name)
    sys.exit(128 + interrupted.signal)


def _end_after(error: Exception) -> NoReturn:
    if not isinstance(error, UserError) and getattr(error, "errno", None) not in DISK_FULL:
        logging.getLogger("traceback").error(traceback.format_exc())
    logger.error("%s: %s", type(error).__name__, " ".join(str(error).split()))
    sys.exit(1)


def _open_log(path: Path) -> None:
    """Let lines go to the log file too; its first one says which process writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(to_file)
    logging.getLogger("job").warning("process %d on %s", os.getpid(), platform.node())
