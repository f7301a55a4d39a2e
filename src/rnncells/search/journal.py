"""The journal of a search: observations that survive the death of their writer."""

import csv
import io
import json
import logging
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import pandas as pd

from ..jobs.errors import one_line
from ..jobs.files import write_bytes, write_text
from .observations import LARGEST
from .space import Space

logger = logging.getLogger(__name__)

#: A number as this module writes it. Python reads more than that as a number, pandas less.
NUMBER = re.compile(r"-?([0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|inf)|nan")


class Journal:
    """An append-only CSV file of observations that survives the death of its writer.

    Configurations that were proposed together are appended together, and count only together: the
    proposals that follow depend on all of them. ``batch_end`` is the number of the last one. So
    what was cut off, and everything after a line that does not continue the count, is dropped back
    to the end of a batch.

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
        """Cut off what is not sound, and write the header of a new file."""
        content = self.path.read_bytes()
        sound = self._sound(self._text())
        kept = sound.encode()
        if content.startswith(kept):
            if dropped := content[len(kept) :]:
                logger.warning("%s: dropped from %r on", self.path, dropped[:80])
            self._file.truncate(len(kept))
        else:
            # An editor, or other columns. (The beginning of a header is nobody's loss.)
            if not kept.startswith(content):
                before = self.path.with_suffix(".csv.before")
                write_bytes(before, content)
                known = sound.count("\n") - 1
                logger.warning(
                    "%s: is not as it was written, and is kept as %s; %d of its observations count",
                    self.path,
                    before.name,
                    known,
                )
            self._file.truncate(0)
            self._write(sound)
        write_text(self.copy, sound)

    def _begin_session(self) -> None:
        """Read what the processes before have spent, and count this one."""
        self.resumed, self._before = 0, 0.0
        try:
            before = json.loads(self.effort.read_text())
            processes, seconds = int(before["processes"]), float(before["seconds"])
            if not (processes >= 0 and 0 <= seconds < math.inf):
                raise ValueError("a number is out of range")
        except FileNotFoundError:
            pass
        # A damaged file can make the readers raise nearly anything; whatever it is, it is refused.
        except Exception as error:
            why = one_line(error)
            logger.warning("%s: cannot be read (%s); time is counted anew", self.effort, why)
        else:
            self.resumed, self._before = processes, seconds
        self._began = time.perf_counter()
        self._note_effort()

    def _note_effort(self) -> None:
        self.seconds = self._before + time.perf_counter() - self._began
        spent = {"processes": self.resumed + 1, "seconds": self.seconds}
        write_text(self.effort, json.dumps(spent) + "\n")

    def _sound(self, text: str) -> str:
        """Return the header and the lines of all batches that are complete."""
        header = ",".join(self.columns)
        lines = text.split("\n")[:-1]  # what follows the last line feed is not a complete line
        kept, complete = [header], 1
        if lines[:1] == [header]:
            for line in lines[1:]:
                if (fields := self._fields(line)) is None or fields[0] != len(kept) - 1:
                    break
                kept.append(line)
                if fields[0] == fields[-1]:
                    complete = len(kept)
        return "".join(f"{line}\n" for line in kept[:complete])

    def _fields(self, line: str) -> list[float] | None:
        """Return the numbers of an observation, or None if the line is not a sound one."""
        texts = line.split(",")
        if len(texts) != len(self.columns) or not all(map(NUMBER.fullmatch, texts)):
            return None
        fields = [float(text) for text in texts]
        # A diverged try may have no value of its metric; everything else must be a number.
        values = dict(zip(self.columns, fields, strict=True))
        sound = all(abs(values[name]) < LARGEST for name in values if name not in self.tries)
        inside = all(d.holds(values[d.name]) for d in self.space.dimensions)
        return fields if sound and inside else None

    def append(self, rows: Iterable[Mapping]) -> None:
        """Add the observations of a batch; they are on the disk when this returns."""
        rows = list(rows)
        lines = io.StringIO()
        writer = csv.DictWriter(lines, self.columns, lineterminator="\n")
        for row in rows:
            writer.writerow({**row, "batch_end": rows[-1]["configuration"]})
        self._write(lines.getvalue())
        write_text(self.copy, self._text())
        self._note_effort()

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def read(self) -> pd.DataFrame:
        """Return the observations of all complete batches."""
        return pd.read_csv(io.StringIO(self._sound(self._text())))

    def _text(self) -> str:
        """Return the file's text, without what editors add: other line ends and a mark."""
        text = self.path.read_bytes().decode("utf-8-sig", errors="replace")
        return text.replace("\r\n", "\n")
