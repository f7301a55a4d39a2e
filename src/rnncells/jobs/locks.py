"""Lock files: the kernel frees the lock of a process that dies, whatever it dies of."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

#: What a file system answers that has no locks.
UNSUPPORTED = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def locked(path: str | Path, waiting: str) -> Iterator[None]:
    """Hold a lock file during the block; wait until no other process holds it.

    A file system without locks is named in the log, and the block runs all the same.

    Args:
        path: the file; it is removed at the end.
        waiting: what the log says if another process holds it.
    """
    if (lock := take(path)) is None:
        logger.warning("%s", waiting)
        while lock is None:
            lock = take(path, timeout=-1)
    try:
        yield
    finally:
        release(lock)


def take(path: str | Path, timeout: float = 0) -> FileLock | None:
    """Lock a file, which is made if it is not there.

    Args:
        path: the file.
        timeout: how many seconds to wait for another process that holds it; -1 for no limit.

    Returns:
        the lock; None if another process holds it. On a file system without locks it is not held
        (``is_locked``). It lasts as long as the object.
    """
    # A soft lock, the library's own answer to such file systems, would outlive a killed process.
    lock = FileLock(path, mode=0o600, timeout=timeout, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    except OSError as error:
        if error.errno == errno.ESTALE:  # its holder on another machine has just removed the file
            return None
        if error.errno not in UNSUPPORTED:
            raise
        logger.warning("%s: cannot be locked (%s); going on without", path, error)
    return lock


def release(lock: FileLock) -> None:
    """Give a lock back, and remove its file.

    In this order nobody can lock a file that is about to be removed; a process that has opened it
    before notices that it has no name any more, and opens the new one.
    """
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
