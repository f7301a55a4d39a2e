"""Baselines of a benchmark that others have published, number by number beside ours."""

import numpy as np
import pandas as pd

#: What identifies a number: a network, its size as in the names of folders, its learning rate.
KEY = ["study", "cell", "size", "lr"]
COLUMNS = [
    *(*KEY, "published", "sd", "n", "ours", "our_sd", "seeds", "chance"),
    *("difference", "limit", "within", "why"),
]
#: Differences up to so many standard deviations agree; so large a share of them is a success.
DEVIATIONS, SUCCESS = 2.0, 0.8
#: Fewer seeds decide nothing. (Learning rates are compared to this many digits.)
LEAST_SEEDS, DIGITS = 3, 9


def compare_with_baseline(ours: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Compare the mean of each configuration that others have published with ours.

    The two means agree if they differ by no more than two standard deviations of such a difference,
    with the published standard deviation s of single runs: 2 s √(1/n + 1/m) for n and m runs.

    Args:
        ours: the columns of ``KEY``, seed, value, chance; a diverged run's value is NaN. ``lr`` is
            NaN where nothing is learned by gradient descent.
        published: the columns of ``KEY``, mean, sd, n.

    Returns:
        a row per number that is in both, with the columns of :data:`COLUMNS`; ``why`` is what is
        known of a difference that is too large.
    """
    ours, published = (
        table.assign(lr=table["lr"].astype(float).round(DIGITS)) for table in (ours, published)
    )
    mine = ours.groupby(KEY, dropna=False).agg(
        ours=("value", "mean"),
        our_sd=("value", "std"),
        seeds=("value", "count"),
        chance=("chance", "mean"),
        best=("value", "min"),
        worst=("value", "max"),
    )
    # NaN in both is the same learning rate: none.
    table = published.merge(mine.reset_index(), on=KEY).rename(columns={"mean": "published"})
    table = table[table["seeds"] >= LEAST_SEEDS].reset_index(drop=True)
    table["difference"] = table["ours"] - table["published"]
    runs = 1 / table["n"] + 1 / table["seeds"]
    table["limit"] = DEVIATIONS * table["sd"] * np.sqrt(runs)
    table["within"] = table["difference"].abs() <= table["limit"] + 1e-12
    table["why"] = [_why(row) for row in table.itertuples()]
    return table[COLUMNS]


def _why(row) -> str:
    """Say what the numbers show of a difference that is too large."""
    if row.within:
        return ""
    stuck = 0.95 * row.chance
    if row.worst >= stuck and row.best < row.chance / 2:
        return "here some seeds stay at chance level and others learn"
    if min(row.ours, row.published) >= stuck:
        return "both are at chance level, which differs between seeds' test sequences"
    if row.our_sd > 2 * row.sd:
        return "our seeds differ more among themselves than the published ones"
    return f"ours is {'worse' if row.difference > 0 else 'better'}"


def baseline_section(table: pd.DataFrame) -> str:
    """Return what the scorecard's page says of it, in Markdown; nothing if nothing was run."""
    if table.empty:
        return ""
    share = table["within"].mean()
    verdict = "reproduced" if share >= SUCCESS else "not reproduced"
    lines = [
        "## Published baselines",
        "",
        f"{table['within'].sum()} of {len(table)} published means ({share:.0%}) agree with ours: "
        f"{verdict} (from {SUCCESS:.0%} on). Two means agree if they differ by no more than two "
        "standard deviations of such a difference, which follow from the published standard "
        "deviation of single runs and both numbers of seeds. `baseline.csv` has every row.",
        "",
        "| cell | size | agree | of |",
        "|---|---|---|---|",
    ]
    for (cell, size), here in table.groupby(["cell", "size"], sort=False):
        lines.append(f"| {cell} | {size} | {here['within'].sum()} | {len(here)} |")
    lines += ["", "Those that do not:", ""]
    for row in table[~table["within"]].itertuples():
        rate = "" if np.isnan(row.lr) else f", lr {row.lr:g}"
        lines.append(
            f"* {row.study}, {row.cell}, {row.size}{rate}: published {row.published:.3g} ± "
            f"{row.sd:.2g}, ours {row.ours:.3g} ± {row.our_sd:.2g} ({row.seeds} seeds); {row.why}"
        )
    return "\n".join([*lines, ""])
