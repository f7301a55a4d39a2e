"""Result files: written atomically, and refused if they are damaged.

Whenever a writer dies, what stands at a result's path is a whole file: the old one or the new one.
Something else may damage it later; then the reader raises an error that names the file.
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
    """Replace a file atomically: the block writes to a temporary path, which is then renamed.

    The file is flushed to the disk (fsync) before it is renamed. If the block fails, what was at
    ``path`` stays. A process that is killed leaves a hidden file behind, which the next writer of
    ``path`` removes.

    Yields:
        the temporary path, in the same folder and with the same suffix.
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
    """Write a file atomically.

    For libraries that would not report a full disk if they wrote to the file themselves.
    """
    with whole(path) as part:
        part.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    write_bytes(path, text.encode())


def write_table(table: "DataFrame", path: str | Path) -> None:
    """Write a table atomically, as Parquet or CSV by the file's suffix."""
    write = {".parquet": table.to_parquet, ".csv": table.to_csv}[Path(path).suffix]
    with whole(path) as part:
        write(part, index=False)


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_array(path: str | Path, array: "ndarray") -> None:
    """Write a NumPy array (``.npy``) atomically."""
    import numpy as np

    content = io.BytesIO()
    np.save(content, array)
    write_bytes(path, content.getbuffer())


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn every exception of the block but FileNotFoundError into one that names the file.

    Raises:
        DamagedFile: in place of any other exception.
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


#: The last bytes of whole files, white space apart. Files of other formats end with a line break.
ENDS = {
    ".parquet": b"PAR1",
    ".json": b"}",
    ".html": b"</html>",
    ".pdf": b"%%EOF",
    ".png": b"IEND\xaeB`\x82",
}


def refuse_apparent_damage(path: str | Path) -> None:
    """Look at the last bytes of a result, which takes microseconds.

    That finds files that are empty, cut off, or full of zeros from some place on, as copies that
    broke off and disks that lost power leave them. Only its reader finds other damage.

    Raises:
        FileNotFoundError: if it is not there.
        DamagedFile: if it does not end as files of its format do.
    """
    suffix = os.path.splitext(path)[1]
    if suffix == ".npy":
        import numpy as np

        with reading(path):
            np.load(path, mmap_mode="r")  # which compares the size with the shape
        return
    with open(path, "rb", buffering=0) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 64))
        end = file.read()
    if not end:
        raise DamagedFile(path, "it is empty")
    whole = end.rstrip().endswith(ENDS[suffix]) if suffix in ENDS else end.endswith(b"\n")
    if not whole:
        raise DamagedFile(path, "it is cut off")


def remove_leftovers(path: str | Path) -> None:
    """Remove what writers of ``path`` left behind that were killed."""
    path = Path(path)
    start, end = f".{path.name}.", f".part{path.suffix}"
    # Not a glob pattern: names of folders and files may hold its special characters.
    for file in path.parent.iterdir():
        if file.name.startswith(start) and file.name.endswith(end):
            file.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot do this for folders, and need not.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(handle)
