"""A hash of everything that numbers depend on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path


def fingerprint(*parts: object, files: Sequence[str | Path] = ()) -> str:
    """Return a short hash of settings (as JSON) and of the contents of files.

    Journals and checkpoints are identified by it, so that only the same work goes on from them.

    Raises:
        TypeError: if a setting cannot be written as JSON.
    """
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for file in sorted(map(str, files)):
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()[:12]
