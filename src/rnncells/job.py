"""What every job does around its one library call: log, limit threads, fail well."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__package__)


class UserError(ValueError):
    """A mistake in what the user supplied; the message is one line, and no traceback is wanted."""


@contextmanager
def job(name: str, log: str | Path, threads: int) -> Iterator[None]:
    """Run a job: lines go to its log and, with its name, to the terminal.

    A failure ends the process with exit code 1. The log holds the traceback, unless the failure is
    a mistake of the user's (an error whose message is one line); the terminal shows one line.

    Args:
        name: what the terminal calls the job.
        log: the log file.
        threads: how many threads the job may use.
    """
    # The numerical libraries read these when they are first imported, which is inside the job.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(log, mode="w")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setFormatter(logging.Formatter(f"[{name}] %(message)s"))
    # What other libraries have to say is for the log, not for the terminal.
    to_terminal.addFilter(lambda record: record.name.startswith(__package__))
    logging.basicConfig(level=logging.WARNING, handlers=[to_file, to_terminal], force=True)
    logging.captureWarnings(True)
    logger.setLevel(logging.INFO)
    try:
        yield
    except Exception as error:
        line = " ".join(str(error).split())
        logger.error("%s: %s", type(error).__name__, line)
        if not isinstance(error, UserError):
            to_file.stream.write(traceback.format_exc())
        to_file.close()
        sys.exit(1)
