"""The journal of a search: observations that survive the death of their writer."""

import csv
import hashlib
import json
import logging
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .space import Space

logger = logging.getLogger(__name__)


class Journal:
    """An append-only CSV file of observations that survives the death of its writer.

    A line is on the disk before :meth:`append` returns. A line that was cut off, and everything
    after a line that does not continue the count of configurations, is dropped when reading.

    Args:
        path: the CSV file.
        space: the parameters.
        metric: name of the number recorded for every try.
        tries: how many tries a configuration has.
        copy: another file that is kept equal to the journal.
    """

    def __init__(self, path: str | Path, space: Space, metric: str, tries: int, copy: str | Path):
        self.path = Path(path)
        self.copy = Path(copy)
        self.tries = [f"{metric}_{j}" for j in range(tries)]
        self.columns = [
            "configuration",
            *space.names,
            *self.tries,
            "score",
            "seconds",
            "diverged",
        ]
        self._keep_complete_lines()

    def _keep_complete_lines(self) -> None:
        """Drop what a dying writer may have left, and write the header of a new file."""
        lines = self.path.read_text().split("\n") if self.path.exists() else []
        header = ",".join(self.columns)
        kept = [header]
        if lines and lines[0] == header:
            for line in lines[1:-1]:  # what follows the last line feed is not a complete line
                if not self._continues(line, len(kept) - 1):
                    logger.warning("%s: dropped the lines from %r on", self.path, line[:80])
                    break
                kept.append(line)
        elif lines:
            logger.warning("%s: has other columns, and is begun anew", self.path)
        text = "\n".join(kept) + "\n"
        if "\n".join(lines) != text:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replacement = self.path.with_suffix(".new")
            with replacement.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            replacement.replace(self.path)
        shutil.copyfile(self.path, self.copy)

    def _continues(self, line: str, count: int) -> bool:
        """Tell whether ``line`` is the observation number ``count``, complete and finite."""
        try:
            fields = [float(field) for field in next(csv.reader([line]), [])]
        except ValueError:
            return False
        if len(fields) != len(self.columns) or fields[0] != count:
            return False
        # A diverged try may have no value of its metric; everything else must be a number.
        values = dict(zip(self.columns, fields, strict=True))
        return all(math.isfinite(values[name]) for name in values if name not in self.tries)

    def append(self, row: Mapping) -> None:
        """Add an observation and put it on the disk."""
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())
        shutil.copyfile(self.path, self.copy)

    def read(self) -> pd.DataFrame:
        """Return all observations."""
        return pd.read_csv(self.path)


def fingerprint(*parts: object, files: Sequence[str | Path] = ()) -> str:
    """Return a short name for settings (as JSON) and the contents of files.

    It names a journal, so that observations are only ever replayed into the search that made them.
    """
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for file in sorted(map(str, files)):
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()[:12]
