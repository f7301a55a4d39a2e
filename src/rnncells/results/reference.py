"""Reference results: what committed runs came to, in a form that fits a repository.

A study has a folder with two files: ``runs.json``, everything needed to train its runs again, and
``metrics.csv``, what they came to: every metric but the errors of single sequences, and of the
training loss the first :data:`STEPS` steps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..jobs.errors import UserError, did_you_mean
from ..jobs.files import read_json, read_table, write_json, write_text
from ..study.models import StudyPlan

#: Steps whose training loss is kept.
STEPS = 20
#: Another processor rounds otherwise, and training amplifies it. Its losses of the first steps ...
LOSS_TOLERANCE = 0.01  # relative
#: ... and the mean of its main metric may differ by so many standard deviations over seeds, ...
SPREADS = 5
#: ... and by this share of the mean besides.
SHARE = 0.05
KEY = ["seed", "metric", "position"]


@dataclass(frozen=True)
class Reference:
    """One run of the reference results.

    Attributes:
        name: ``study/cell=.../length=.../hidden=.../layers=.../seeds=...``.
        record: its ``run.json``, with the settings of the data set as ``data``.
        metrics: the columns seed, metric, position, value.
    """

    name: str
    record: Mapping[str, Any]
    metrics: pd.DataFrame


def write_references(results: Path, plan: Mapping[str, StudyPlan], folder: Path) -> list[str]:
    """Write the reference results of all studies whose data can be made again.

    Args:
        results: the folder ``results/`` of a finished workflow.
        plan: what it was made with.
        folder: where they go, a folder per study.

    Returns:
        the names of the runs.
    """
    written = []
    for study, part in plan.items():
        if part.data is not None and part.data.files():
            continue
        data = None if part.data is None else part.data.model_dump()
        records, tables = {}, []
        for file in sorted((results / "runs" / study).glob("**/run.json")):
            run = str(file.parent.relative_to(results / "runs"))
            records[run] = read_json(file) | {"data": data}
            tables.append(kept(read_table(file.parent / "metrics.parquet")).assign(run=run))
        if records:
            (folder / study).mkdir(parents=True, exist_ok=True)
            write_json(folder / study / "runs.json", records)
            table = pd.concat(tables)[["run", *KEY, "value"]]
            write_text(folder / study / "metrics.csv", table.to_csv(index=False))
            written += records
    return written


def kept(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a run's metrics that a reference holds, in a fixed order."""
    late = (metrics["metric"] == "train_loss") & (metrics["position"] > STEPS)
    rows = metrics[~late & (metrics["metric"] != "sequence_error")]
    return rows[[*KEY, "value"]].sort_values(KEY).reset_index(drop=True)


def references(folder: Path) -> Iterator[Reference]:
    """Yield the runs of all studies."""
    for file in sorted(folder.glob("*/runs.json")):
        table = pd.read_csv(file.with_name("metrics.csv"))
        by_run = dict(iter(table.groupby("run")))
        for name, record in read_json(file).items():
            metrics = by_run[name].drop(columns="run").reset_index(drop=True)
            yield Reference(name, record, metrics)


def find(folder: Path, name: str = "") -> Reference:
    """Return the run of a name, or the one that took least time.

    Raises:
        UserError: if there is no such run.
    """
    known = {reference.name: reference for reference in references(folder)}
    if not known:
        raise UserError(f"{folder}: there are no reference results; `make record` writes them")
    if not name:
        return min(known.values(), key=lambda reference: reference.record["seconds"])
    if name not in known:
        listed = "\n  ".join(sorted(known))
        raise UserError(
            f"RUN: there is no reference run {name!r}{did_you_mean(name, known)}; there are\n"
            f"  {listed}"
        )
    return known[name]


def same_machine(record: Mapping, here: Mapping) -> list[str]:
    """Return in what a machine differs from that of a record, as far as numbers depend on it."""
    names = [
        f"{key} {here[key]}, not {record.get(key)}"
        for key in ("processor", "device")
        if here[key] != record.get(key)  # an older record does not name the processor
    ]
    for library in ("torch", "numpy", "numba"):
        mine, its = here["versions"].get(library), record["versions"].get(library)
        if mine != its:
            names.append(f"{library} {mine}, not {its}")
    return names


def differences(reference: pd.DataFrame, made: pd.DataFrame, main: str, exact: bool) -> list[str]:
    """Return in what a run differs from its reference, in words; nothing if they agree.

    Args:
        reference, made: tables as :func:`kept` returns them.
        main: the task's main metric.
        exact: whether every number has to be the same to the last bit. Else the losses of the first
            steps may differ by :data:`LOSS_TOLERANCE`, and the mean over seeds of the main metric
            by :data:`SPREADS` standard deviations of the reference's seeds and :data:`SHARE` of
            its mean.
    """
    if exact:
        both = reference.merge(made, "outer", on=KEY, suffixes=("", "_made"))
        same = (both["value"] == both["value_made"]) | both[["value", "value_made"]].isna().all(
            axis=1
        )
        return [
            f"seed {row.seed}, {row.metric} at {row.position:g}: {row.value_made!r}, "
            f"not {row.value!r}"
            for row in both[~same].itertuples()
        ]
    found, tables = [], (reference, made)
    losses, own = (t[t["metric"] == "train_loss"].set_index(KEY)["value"] for t in tables)
    distance = (own.reindex(losses.index) / losses - 1).abs()
    if len(distance) and not (worst := distance.max(skipna=False)) <= LOSS_TOLERANCE:
        found.append(f"train_loss of the first steps: off by {worst:.2%}")
    before, after = (t.loc[t["metric"] == main, "value"].to_numpy(float) for t in tables)
    spread = np.std(before, ddof=1) if len(before) > 1 else 0.0
    allowed = SPREADS * spread + SHARE * abs(before.mean())
    if not len(after) or not abs(after.mean() - before.mean()) <= allowed:
        mean = f"{after.mean():.4g}" if len(after) else "missing"
        found.append(f"{main}: {mean}, not {before.mean():.4g} ± {allowed:.2g}")
    return found
