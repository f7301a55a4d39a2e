"""Counts of the faults that were tried and survived, and the table of them."""

import json
from collections import Counter
from collections.abc import Iterator
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

    def table(self) -> str:
        """Return the counts as a table in Markdown."""
        lines = ["| fault | tried | survived |", "|---|---:|---:|"]
        lines += [f"| {name} | {n} | {self.survived[name]} |" for name, n in self.tried.items()]
        total = sum(self.tried.values()), sum(self.survived.values())
        return "\n".join([*lines, f"| **all** | **{total[0]}** | **{total[1]}** |"])

    def write(self, folder: Path, **about: object) -> None:
        """Write the counts as ``faults.md`` and ``faults.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.md").write_text(self.table() + "\n")
        counts = {
            name: {"tried": n, "survived": self.survived[name]} for name, n in self.tried.items()
        }
        (folder / "faults.json").write_text(
            json.dumps({**about, "faults": counts}, indent=2) + "\n"
        )
