"""Files that are there whole or not at all, whenever their writer dies."""

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


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


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as part:
        part.write_text(text)


def write_table(table: "DataFrame", path: str | Path) -> None:
    """Write a table as Parquet or CSV, by the file's suffix, whole or not at all."""
    write = {".parquet": table.to_parquet, ".csv": table.to_csv}[Path(path).suffix]
    with whole(path) as part:
        write(part, index=False)


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(content, indent=2) + "\n")


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
