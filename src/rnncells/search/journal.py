"""The journal of a search: its observations, appended durably."""

import csv
import io
import logging
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import pandas as pd

from ..jobs.files import read_json, write_json, write_text
from .space import Space

logger = logging.getLogger(__name__)


class Journal:
    """An append-only CSV file of observations that survives the death of its writer.

    Configurations that were proposed together are appended together, and count only together: the
    proposals that follow depend on all of them. The column ``batch_end`` is the number of the last
    one. When the journal is opened, it is truncated to its complete batches: a line counts if it
    has all columns and the next configuration's number, and a batch if its last line counts.

    As a context manager it is open for writing, which one process at a time may do.

    Args:
        path: the CSV file.
        space: the parameters.
        metric: name of the number recorded for every try.
        tries: how many tries a configuration has.
        copy: another file that is kept equal to the journal.

    Attributes:
        resumed: how often it had been opened for writing before.
        seconds: how long it was open, until the last observation. A file beside the journal keeps
            both numbers; no observation depends on them.
    """

    def __init__(self, path: str | Path, space: Space, metric: str, tries: int, copy: str | Path):
        self.path = Path(path)
        self.copy = Path(copy)
        self.effort = self.path.with_suffix(".json")
        self.resumed = 0
        self.seconds = 0.0
        self.tries = [f"{metric}_{j}" for j in range(tries)]
        self.space = space
        self.columns = [
            "configuration",
            *space.names,
            *self.tries,
            "score",
            "seconds",
            "diverged",
            "batch_end",
        ]

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        try:
            self._repair()
            self._begin_session()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def _repair(self) -> None:
        """Truncate the file to its complete batches; write the header of a new one."""
        text = self.path.read_text(errors="replace")
        sound = self._sound(text)
        if text.startswith(sound):
            # Not rewritten: a process that died in between would lose all of it.
            self._file.truncate(len(sound))
        else:
            self._file.truncate(0)
            self._write(sound)
        if dropped := text.removeprefix(sound):
            logger.warning("%s: dropped from %r on", self.path, dropped[:80])
        write_text(self.copy, sound)

    def _begin_session(self) -> None:
        """Read what the processes before have spent, and count this one."""
        try:
            before = read_json(self.effort)
        except FileNotFoundError:
            before = {"processes": 0, "seconds": 0.0}
        self.resumed, self._before = before["processes"], before["seconds"]
        self._began = time.perf_counter()
        self._note_effort()

    def _note_effort(self) -> None:
        self.seconds = self._before + time.perf_counter() - self._began
        spent = {"processes": self.resumed + 1, "seconds": self.seconds}
        write_json(self.effort, spent)

    def _sound(self, text: str) -> str:
        """Return the header and the lines of all batches that are complete."""
        kept, complete = [",".join(self.columns)], 1
        lines = text.split("\n")[:-1]  # what follows the last line feed is not a complete line
        if lines[:1] == kept:
            for line in lines[1:]:
                fields = line.split(",")
                if len(fields) != len(self.columns) or fields[0] != str(len(kept) - 1):
                    break
                kept.append(line)
                if fields[-1] == fields[0]:
                    complete = len(kept)
        return "".join(f"{line}\n" for line in kept[:complete])

    def append(self, rows: Iterable[Mapping]) -> None:
        """Add the observations of a batch; they are on the disk when this returns."""
        rows = list(rows)
        lines = io.StringIO()
        writer = csv.DictWriter(lines, self.columns, lineterminator="\n")
        for row in rows:
            writer.writerow({**row, "batch_end": rows[-1]["configuration"]})
        self._write(lines.getvalue())
        write_text(self.copy, self.path.read_text())
        self._note_effort()

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def read(self) -> pd.DataFrame:
        """Return the observations of all complete batches."""
        return pd.read_csv(io.StringIO(self._sound(self.path.read_text())))
