"""Results on the disk: written whole or not at all, and never read half.

Whenever a writer dies, what stands at a result's path is a whole file. Something else may damage it
later; then the reader names the file and makes nothing of it.
"""

import errno
import io
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UserError

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame


class DamagedFile(UserError):
    """A result that is not what was written; the message is one line for the user."""

    def __init__(self, path: str | Path, reason: object):
        line = " ".join(str(reason).split())
        super().__init__(f"{path}: is damaged ({line}); delete it and give the same command again")


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give the block a temporary path to write to, and then put that file in the place of ``path``.

    The file is on the disk before it gets its name. If the block fails, what was at ``path`` stays.
    A process that is killed leaves a hidden file behind, which the next writer of ``path`` removes.
    """
    path = Path(path)
    remove_leftovers(path)
    # The suffix stays, because NumPy and matplotlib choose the format by it.
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        _sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync(path.parent)


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file, whole or not at all.

    Libraries write to memory first where their own way to a file hides that a disk is full.
    """
    with whole(path) as part:
        part.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_bytes(path, text.encode())


def write_table(table: "DataFrame", path: str | Path) -> None:
    """Write a table as Parquet or CSV, by the file's suffix, whole or not at all."""
    write = {".parquet": table.to_parquet, ".csv": table.to_csv}[Path(path).suffix]
    with whole(path) as part:
        write(part, index=False)


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_array(path: str | Path, array: "ndarray") -> None:
    """Write a NumPy array (``.npy``), whole or not at all."""
    import numpy as np

    content = io.BytesIO()
    np.save(content, array)
    write_bytes(path, content.getbuffer())


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Blame what goes wrong in the block on the file.

    Raises:
        DamagedFile: if anything but the file's absence does.
    """
    try:
        yield
    except (FileNotFoundError, DamagedFile):
        raise
    # A damaged file can make the readers raise nearly anything; whatever it is, it is refused.
    except Exception as error:
        raise DamagedFile(path, error) from error


def read_table(path: str | Path) -> "DataFrame":
    """Read a table that :func:`write_table` wrote.

    Raises:
        DamagedFile: if it is cut off or otherwise damaged.
    """
    import pandas as pd

    with reading(path):
        if Path(path).suffix == ".parquet":
            return pd.read_parquet(path)
        if not Path(path).read_bytes().endswith(b"\n"):
            raise DamagedFile(path, "its last line is cut off")
        return pd.read_csv(path)


def read_json(path: str | Path) -> dict:
    """Read an object that :func:`write_json` wrote.

    Raises:
        DamagedFile: if it is cut off or otherwise damaged.
    """
    with reading(path):
        return dict(json.loads(Path(path).read_text()))


def read_array(path: str | Path) -> "ndarray":
    """Read a NumPy array (``.npy``).

    Raises:
        DamagedFile: if it is cut off or otherwise damaged.
    """
    import numpy as np

    with reading(path):
        return np.load(path)


def remove_leftovers(path: str | Path) -> None:
    """Remove what writers of ``path`` left behind that were killed."""
    path = Path(path)
    start, end = f".{path.name}.", f".part{path.suffix}"
    # Not a glob pattern: names of folders and files may hold its special characters.
    for file in path.parent.iterdir():
        if file.name.startswith(start) and file.name.endswith(end):
            file.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot do this for folders, and need not.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(handle)
