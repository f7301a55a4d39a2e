"""Lock files that no dead process holds: the kernel frees them, whatever a process dies of."""

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)


@contextmanager
def locked(path: str | Path, waiting: str) -> Iterator[None]:
    """Hold a lock file during the block; wait until no other process holds it.

    A file system that knows no locks is named in the log, and the block runs all the same.

    Args:
        path: the file; it is removed at the end.
        waiting: what the log says if another process holds it.
    """
    path = Path(path)
    if (handle := try_lock(path)) is None:
        logger.warning("%s", waiting)
        while handle is None:
            handle = _lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        release(path, handle)


def try_lock(path: Path) -> int | None:
    """Take a lock file and return its handle, or None if another process holds it."""
    return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def release(path: Path, handle: int) -> None:
    """Give a lock file back, and remove it."""
    path.unlink(missing_ok=True)
    os.close(handle)


def _lock(path: Path, how: int) -> int | None:
    """Lock the file; None if it is held, or was removed by its holder meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, how)
        if os.path.samestat(os.fstat(handle), os.stat(path)):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        if error.errno != errno.ESTALE:  # removed by its holder on another machine
            logger.warning("%s: cannot be locked (%s); going on without", path, error)
            return handle
    except BaseException:  # a signal while it waited
        os.close(handle)
        raise
    os.close(handle)
    return None
