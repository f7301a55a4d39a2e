"""The checkpoint of a training: a file from which a new process resumes.

A checkpoint is replaced atomically: the one before stays until the new one is on the disk. It has a
checksum, and the identity of its training. One that is damaged, or of another training, is named in
the log and ignored. It is read with ``weights_only``, so nothing in the file is executed.
"""

import hashlib
import io
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ..jobs.files import remove_leftovers, whole
from ..jobs.fingerprint import fingerprint
from ..jobs.interruption import asked_to_end, end_if_asked

logger = logging.getLogger(__name__)

#: The file is the SHA-256 digest of what follows, which ``torch.save`` wrote: identity and state.
DIGEST = hashlib.sha256().digest_size

#: The environment variable that brings the configured pause to a job. It is not a parameter of the
#: job, because it changes no number: finished jobs do not run again when it changes.
SECONDS = "RNNCELLS_CHECKPOINT_SECONDS"


def pause() -> float:
    """Return the configured pause between two checkpoints in seconds, 60 if there is none."""
    return float(os.environ.get(SECONDS, 60.0))


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
        """Return whether it is time to save: the pause is over, or a signal asks for the end."""
        return asked_to_end() or time.monotonic() - self._last >= self.seconds

    def save(self, state: Mapping) -> None:
        """Write a state of tensors and plain numbers; then end the process if a signal asks for it.

        A disk that is full does not end a training: the log says that there is no new checkpoint,
        and the one before stays.

        Raises:
            Interrupted: if a signal asks for the end.
        """
        content = io.BytesIO()
        torch.save({"identity": self.identity, "state": dict(state)}, content)
        try:
            with whole(self.path) as part, part.open("wb") as file:
                file.write(hashlib.sha256(content.getbuffer()).digest())
                file.write(content.getbuffer())
        except OSError as error:
            logger.warning("%s: no new checkpoint could be written: %s", self.path, error)
        self._last = time.monotonic()
        end_if_asked()

    def restore(self) -> dict | None:
        """Return the saved state; None if there is none that can be used."""
        try:
            content = memoryview(self.path.read_bytes())
        except FileNotFoundError:
            return None
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            reason = "is damaged"
        else:
            saved = torch.load(io.BytesIO(content[DIGEST:]), map_location="cpu", weights_only=True)
            identity = saved["identity"]
            other = [
                name
                for name in sorted(identity | self.identity)
                if identity.get(name) != self.identity.get(name)
            ]
            if not other:
                return saved["state"]
            reason = f"was made with other {', '.join(other)}"
        logger.warning("checkpoint %s ignored because it %s", self.path, reason)
        return None

    def remove(self) -> None:
        """Remove the file, because what it belongs to is finished."""
        self.path.unlink(missing_ok=True)
        remove_leftovers(self.path)
