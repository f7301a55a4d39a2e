"""The checkpoint of a training: a file from which a new process goes on where one was ended.

A checkpoint is replaced as a whole: the one before stays until the new one is on the disk. It says
what it belongs to, and its content has a checksum. One that is damaged, or belongs to something
else, is named in the log and ignored. Nothing in the file is executed.
"""

import hashlib
import io
import json
import logging
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from ..jobs.errors import one_line, shown
from ..jobs.files import remove_leftovers, whole
from ..jobs.fingerprint import fingerprint
from ..jobs.interruption import asked_to_end, end_if_asked

logger = logging.getLogger(__name__)

#: Version of the file's format: a line of JSON (version, identity, size and checksum of what
#: follows), then the state as ``torch.save`` writes it.
VERSION = 1
#: The longest first line that is read.
LONGEST_HEADER = 100_000


#: The environment variable that brings the configured pause to a job. It is not a parameter of the
#: job, because it changes no number: finished jobs do not run again when it changes.
SECONDS = "RNNCELLS_CHECKPOINT_SECONDS"


def pause() -> float:
    """Return the configured pause between two checkpoints in seconds, 60 if there is none."""
    return float(os.environ.get(SECONDS, 60.0))


class UnusableCheckpoint(Exception):
    """A checkpoint that cannot be used; the message completes "ignored because it ..."."""


class Checkpoint:
    """A file that holds the state of an unfinished training.

    Args:
        path: the file.
        identity: everything that the numbers depend on, by name; as JSON. The versions of PyTorch
            and NumPy are added.
        seconds: pause between two checkpoints.
    """

    def __init__(self, path: str | Path, identity: Mapping[str, object], seconds: float = 60.0):
        self.path = Path(path)
        self.seconds = seconds
        self.given = dict(identity)
        versions = {"torch": torch.__version__, "numpy": np.__version__}
        self.identity = {
            name: fingerprint(value) for name, value in (versions | self.given).items()
        }
        self._last = time.monotonic()

    def of(self, **more: object) -> "Checkpoint":
        """Return a checkpoint in the same file whose identity has ``more`` parts."""
        return Checkpoint(self.path, self.given | more, self.seconds)

    def due(self) -> bool:
        """Tell whether it is time to save: the pause is over, or a signal asks for the end."""
        return asked_to_end() or time.monotonic() - self._last >= self.seconds

    def save(self, state: Mapping) -> None:
        """Write a state of tensors and plain numbers; then end the process if a signal asks for it.

        A disk that is full does not end a training: the log says that there is no new checkpoint,
        and the one before stays.

        Raises:
            Interrupted: if a signal asks for the end.
        """
        content = io.BytesIO()
        torch.save(dict(state), content)
        header = {
            "checkpoint": VERSION,
            "identity": self.identity,
            "bytes": content.tell(),
            "sha256": hashlib.sha256(content.getbuffer()).hexdigest(),
        }
        try:
            with whole(self.path) as part, part.open("wb") as file:
                file.write(json.dumps(header).encode() + b"\n")
                file.write(content.getbuffer())
        except OSError as error:
            logger.warning("%s: no new checkpoint could be written: %s", self.path, error)
        self._last = time.monotonic()
        end_if_asked()

    def restore(self, load: Callable[[dict], None]) -> bool:
        """Give a saved state to ``load``, and tell whether there was one that could be used.

        Args:
            load: takes the state. It raises any Exception if the state does not fit, and has then
                changed nothing.
        """
        try:
            load(self._read())
        except FileNotFoundError:
            return False
        except UnusableCheckpoint as error:
            reason = one_line(error)
        # A damaged file can make the readers raise nearly anything; whatever it is, it is refused.
        except Exception as error:
            reason = f"is damaged ({one_line(error) or type(error).__name__})"
        else:
            return True
        logger.warning("checkpoint %s ignored because it %s", self.path, reason)
        return False

    def _read(self) -> dict:
        if self.path.exists() and not self.path.is_file():  # reading a pipe might never end
            raise UnusableCheckpoint("is no file")
        with self.path.open("rb") as file:
            line = file.readline(LONGEST_HEADER)
            try:
                header = json.loads(line)
                version, identity = header["checkpoint"], dict(header["identity"])
                size, checksum = header["bytes"], header["sha256"]
            except (ValueError, TypeError, KeyError) as error:
                raise UnusableCheckpoint("is damaged (its first line cannot be read)") from error
            if version != VERSION:
                raise UnusableCheckpoint(f"has the format {shown(version)}, this is {VERSION}")
            if other := sorted(
                name
                for name in identity | self.identity
                if identity.get(name) != self.identity.get(name)
            ):
                raise UnusableCheckpoint(f"was made with other {', '.join(other)}")
            there = os.fstat(file.fileno()).st_size - len(line)
            if there != size:
                raise UnusableCheckpoint(f"is damaged ({there} bytes of {shown(size)})")
            content = file.read()
        if hashlib.sha256(content).hexdigest() != checksum:
            raise UnusableCheckpoint("is damaged (its checksum differs)")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise UnusableCheckpoint("is compressed")  # to what it would not fit into memory
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)

    def remove(self) -> None:
        """Remove the file, because what it belongs to is finished."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:  # somebody else's folder of this name
            logger.warning("%s: cannot be removed: %s", self.path, error)
        remove_leftovers(self.path)
