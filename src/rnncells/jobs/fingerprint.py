"""A short name for everything that numbers depend on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path


def fingerprint(*parts: object, files: Sequence[str | Path] = ()) -> str:
    """Return a short name for settings (as JSON) and the contents of files.

    It names journals and checkpoints, so that they only ever continue what they belong to.
    """
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for file in sorted(map(str, files)):
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()[:12]
