"""The page of all numbers, docs/speed.md: the table, and what is written by hand at its end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

#: What is known of the limits: where the time goes, and what a next factor would take.
LIMITS = Path(__file__).with_name("limits.md")

HEAD = """\
# Speed

<!-- Written by `make bench` from docs/bench.csv and benchmarks/limits.md. -->

Whole training steps (forward, backward, Adam) in float32. All contestants of a row take turns in
one process. A number is the median over the rounds; in brackets are the 5 % and the 95 % quantile.
`make bench` measures everything again (`make bench QUICK=1`: a part of it, within two minutes).

| | |
|---|---|
"""

EXPLAINED = """
*Products alone* is the time of the step's matrix products by the fastest BLAS that NumPy and
PyTorch offer, with nothing in between. *Share of the peak* is what the products of the step, in the
time of the whole step, are of the {peak:.0f} GFLOP/s that multiply-adds in registers reach on this
processor.
"""


def page(table: pd.DataFrame) -> str:
    """Write the page."""
    explained = EXPLAINED.format(peak=table["peak"].max())
    return HEAD + "".join(_facts(table)) + explained + _tables(table) + LIMITS.read_text()


def _facts(table: pd.DataFrame) -> Iterator[str]:
    for name, column in (("processor", "device"), ("threads", "threads"), ("libraries", "blas")):
        values = table.loc[table["group"] != "gpu", column]
        yield f"| {name} | {values.iloc[0]} |\n"


def _tables(table: pd.DataFrame) -> str:
    parts = []
    for group, (title, text, columns) in TABLES.items():
        rows = table[table["group"] == group]
        if group != "layers":
            rows = rows.drop_duplicates("case")
        if len(rows):
            heads = " | ".join(columns)
            lines = [f"| {heads} |", f"|---{'|---:' * (len(columns) - 1)}|"]
            for _, row in rows.iterrows():
                cells = [write(row, table) for write in columns.values()]
                lines.append(f"| {' | '.join(cells)} |")
            parts.append(f"\n## {title}\n\n{text}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts)


Column = Callable[[pd.Series, pd.DataFrame], str]


def _milliseconds(row: pd.Series, table: pd.DataFrame) -> str:
    return f"{row['our_ms']:.3g} ({row['our_low']:.3g} to {row['our_high']:.3g})"


def _number(column: str, suffix: str = "") -> Column:
    def write(row: pd.Series, table: pd.DataFrame) -> str:
        return "" if pd.isna(row[column]) else f"{row[column]:.3g}{suffix}"

    return write


def _share(row: pd.Series, table: pd.DataFrame) -> str:
    return "" if pd.isna(row["share"]) else f"{row['share']:.0%}"


def _faster(row: pd.Series, table: pd.DataFrame) -> str:
    if pd.isna(row["ratio"]):
        return str(row["note"])
    return f"{row['ratio']:.3g} ({row['ratio_low']:.3g} to {row['ratio_high']:.3g})"


def _peer(name: str) -> Column:
    def write(row: pd.Series, table: pd.DataFrame) -> str:
        found = table[(table["case"] == row["case"]) & (table["peer"] == name)]
        found = found[found["group"] == row["group"]].dropna(subset="peer_ms")
        return f"{found['peer_ms'].iloc[0]:.3g}" if len(found) else ""

    return write


def _growth(row: pd.Series, table: pd.DataFrame) -> str:
    return f"{1 / row['ratio']:.2f} ({1 / row['ratio_high']:.2f} to {1 / row['ratio_low']:.2f})"


def _per_second(row: pd.Series, table: pd.DataFrame) -> str:
    return f"{1e3 * row['models'] / row['our_ms'] / PUBLISHED_STEPS:.3g}"


#: Gradient steps of one model in the published capacity study.
PUBLISHED_STEPS = 3000

_STEP: dict[str, Column] = {"": lambda row, table: row["case"], "ms": _milliseconds}
_FLOOR: dict[str, Column] = {
    "products alone, ms": _number("floor_ms"),
    "multiple of that": _number("floor_ratio"),
    "share of the peak": _share,
}
TABLES: dict[str, tuple[str, str, dict[str, Column]]] = {
    "layers": (
        "Against other libraries",
        "Layers of 100 units: T steps, B sequences, a linear readout of the last step. Of binary"
        " addition, a population of five networks of two layers against five networks in turn.",
        {
            **_STEP,
            "instead of": lambda row, table: row["peer"],
            "theirs, ms": _number("peer_ms"),
            "times faster": _faster,
            **_FLOOR,
        },
    ),
    "capacity": (
        "An iteration of the capacity study",
        "Ten models of 60 units learn 61 sequences of 60 steps each. The other columns are this"
        " library's readable path, as it is and through `torch.compile`.",
        {
            **_STEP,
            **_FLOOR,
            "readable, ms": _peer("readable"),
            "compiled, ms": _peer("torch.compile"),
        },
    ),
    "fixed": (
        "An iteration with next to no arithmetic",
        "What a training step costs besides its kernels: data, launching, Adam, the record.",
        _STEP,
    ),
    "scaling": (
        "Scaling",
        "The time against that of as much work in pieces: of 30 steps, or of one model. 1 is exact"
        " proportion, less is better.",
        {**_STEP, "of the pieces' time": _growth},
    ),
    "gpu": (
        "Populations on a GPU",
        "The first column of rates is in models that are trained per second, 3,000 steps each. The"
        " others: one model's step as often as there are models, PyTorch's layers (cuDNN) in turn,"
        " and this library's steps as a CUDA graph and through `torch.compile`.",
        {
            **_STEP,
            "models per second": _per_second,
            "one by one, ms": _peer("1 model, repeated"),
            "torch.nn, ms": _peer("torch.nn"),
            "steps, ms": _peer("readable"),
            "compiled, ms": _peer("torch.compile"),
        },
    ),
}
