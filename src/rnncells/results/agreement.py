"""Whether a run that is trained again agrees with what it came to before."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

#: Another processor rounds otherwise, and training amplifies it. Its losses of the first steps ...
STEPS = 20
LOSS_TOLERANCE = 0.01  # relative
#: ... and the mean of its main metric may differ by so many standard deviations over seeds, ...
SPREADS = 5
#: ... and by this share of the mean besides.
SHARE = 0.05
KEY = ["seed", "metric", "position"]


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


def differences(before: pd.DataFrame, after: pd.DataFrame, main: str, exact: bool) -> list[str]:
    """Return in what a run differs from what it was before, in words; nothing if they agree.

    Args:
        before, after: its metrics, with the columns seed, metric, position and value.
        main: the task's main metric.
        exact: whether every number has to be the same to the last bit. Else the losses of the first
            :data:`STEPS` steps may differ by :data:`LOSS_TOLERANCE`, and the mean over seeds of the
            main metric by :data:`SPREADS` standard deviations over the seeds of ``before`` and
            :data:`SHARE` of its mean.
    """
    if exact:
        both = before.merge(after, "outer", on=KEY, suffixes=("_before", "_after"))
        gone = both[["value_before", "value_after"]].isna()
        same = (both["value_before"] == both["value_after"]) | gone.all(axis=1)
        return [
            f"seed {row.seed}, {row.metric} at {row.position:g}: {row.value_after!r}, "
            f"not {row.value_before!r}"
            for row in both[~same].itertuples()
        ]
    found = []
    losses, own = map(_first_losses, (before, after))
    distance = (own.reindex(losses.index) / losses - 1).abs()
    if len(distance) and not (worst := distance.max(skipna=False)) <= LOSS_TOLERANCE:
        found.append(f"train_loss of the first steps: off by {worst:.2%}")
    its, ours = (t.loc[t["metric"] == main, "value"].to_numpy(float) for t in (before, after))
    spread = np.std(its, ddof=1) if len(its) > 1 else 0.0
    allowed = SPREADS * spread + SHARE * abs(its.mean())
    if not len(ours) or not abs(ours.mean() - its.mean()) <= allowed:
        mean = f"{ours.mean():.4g}" if len(ours) else "missing"
        found.append(f"{main}: {mean}, not {its.mean():.4g} ± {allowed:.2g}")
    return found


def _first_losses(metrics: pd.DataFrame) -> pd.Series:
    first = metrics.query("metric == 'train_loss' and position <= @STEPS")
    return first.set_index(KEY)["value"]
