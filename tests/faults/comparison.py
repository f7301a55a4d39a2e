"""What the results of a run hold: equal numbers, and nothing that does not belong there."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

#: What differs between two runs that give the same numbers: what they cost, and how they went.
COST = re.compile(r"(processor_)?seconds.*|.*memory_mb.*|resumed|retries|processes")

#: Files that say little else.
COSTS = ("cost.csv", "cost.pdf", "cost.png", "provenance.html")


def files_of(results: Path) -> list[str]:
    """Return the files below ``results``, hidden ones included."""
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())


def content(path: Path) -> object:
    """Return what a result says, apart from its cost. Damaged files raise an error."""
    if path.suffix == ".parquet":
        return _without_cost(pd.read_parquet(path))
    if path.suffix == ".csv":
        text = path.read_text()
        assert text.endswith("\n"), f"{path} is cut off"
        return _without_cost(pd.read_csv(path))
    if path.suffix == ".json":
        return _without(json.loads(path.read_text()))
    if path.suffix == ".npy":
        return np.load(path)
    return path.read_bytes()


def assert_equal(path: Path, reference: Path) -> None:
    """Fail if two results say different things."""
    ours, theirs = content(path), content(reference)
    if isinstance(ours, pd.DataFrame):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True, obj=str(path))
    elif isinstance(ours, np.ndarray):
        np.testing.assert_array_equal(ours, theirs, str(path))
    else:
        assert ours == theirs, path


def assert_whole(results: Path, reference: Path, names: list[str]) -> None:
    """Fail if one of the files is there but is not the whole result."""
    for name in names:
        if (results / name).exists() and Path(name).name not in COSTS:
            assert_equal(results / name, reference / name)


def assert_undisturbed(results: Path, reference: Path, study: str = "") -> None:
    """Fail unless ``results`` has the files of ``reference``, with the same numbers in them.

    With a study, only its files should be there.
    """
    names = [name for name in files_of(reference) if not study or study in Path(name).parts]
    assert files_of(results) == names
    for name in names:
        if Path(name).name not in COSTS:
            assert_equal(results / name, reference / name)


def _without_cost(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=[name for name in table if COST.fullmatch(name)])


def _without(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if not COST.fullmatch(key)}
    return [_without(item) for item in value] if isinstance(value, list) else value
