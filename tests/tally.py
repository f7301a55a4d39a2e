"""Counts of the faults that were tried and survived."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock


class Tally:
    """How often each fault was tried, and how often it was survived."""

    def __init__(self):
        self.tried: Counter[str] = Counter()
        self.survived: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def tries(self, fault: str, number: int = 1) -> Iterator[None]:
        """Count ``number`` faults as tried, and as survived if the block raises nothing."""
        with self._lock:
            self.tried[fault] += number
        yield
        with self._lock:
            self.survived[fault] += number


@contextmanager
def counted() -> Iterator[Tally]:
    """Give the block a tally, and write it to the file that ``FAULTS_TALLY`` names, if it does.

    The file is JSON: fault -> [tried, survived].
    """
    tally = Tally()
    yield tally
    if file := os.environ.get("FAULTS_TALLY"):
        counts = {fault: [n, tally.survived[fault]] for fault, n in tally.tried.items()}
        Path(file).write_text(json.dumps(counts, indent=2) + "\n")


def table(files: Iterable[Path]) -> str:
    """Return the counts of several files as one table in Markdown."""
    lines, all_tried, all_survived = ["| fault | tried | survived |", "|---|---:|---:|"], 0, 0
    for file in files:
        for fault, (tried, survived) in json.loads(file.read_text()).items():
            lines.append(f"| {fault} | {tried:,} | {survived:,} |")
            all_tried += tried
            all_survived += survived
    return "\n".join([*lines, f"| **all** | **{all_tried:,}** | **{all_survived:,}** |"])
