"""What the jobs cost."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .style import GREY, SMALL, WIDTH, empty_figure, figure_style, write_below


@figure_style()
def draw(table: pd.DataFrame) -> Figure:
    """Time and memory of the jobs, by study and rule, from the provenance of their results.

    The table gives the number of jobs, the median and the longest wall time of a job, their
    processor time together in core-hours, and the largest memory of any of them; the bars give the
    wall time of all jobs together. A job's wall time is that of all its processes, without the
    start of Python. There are no error bands: each job was measured once, while others may have run
    beside it. Look for the rule with the longest bar to find what a smaller budget would save most
    on.
    """
    if table.empty:
        return empty_figure(None)
    table = table.reset_index(drop=True)
    figure = Figure(figsize=(WIDTH, 0.2 * len(table) + 0.9), layout="constrained")
    text, bars = figure.subplots(1, 2, sharey=True, width_ratios=[2.6, 1])
    text.axis("off")
    text.set(xlim=(0, 1), ylim=(len(table) - 0.4, -1.6))
    new_study = table["study"] != table["study"].shift()
    columns = (
        (0.0, "left", "Study", table["study"].where(new_study, "")),
        (0.27, "left", "Rule", table["rule"]),
        (0.43, "right", "Jobs", table["jobs"].map(_count)),
        (0.57, "right", "Median", table["seconds_median"].map(_duration)),
        (0.71, "right", "Longest", table["seconds_max"].map(_duration)),
        (0.84, "right", "Core-hours", table["core_hours"].map(_hours)),
        (1.0, "right", "Memory (MB)", table["memory_mb_max"].map(_count)),
    )
    for x, side, head, cells in columns:
        text.text(x, -1, head, ha=side, va="center", weight="bold", fontsize=SMALL)
        for y, cell in enumerate(cells):
            text.text(x, y, cell, ha=side, va="center", fontsize=SMALL)
    rules = list(dict.fromkeys(table["rule"]))
    palette = mpl.color_sequences["petroff10"]  # told apart by colour-blind readers too
    colours = [palette[rules.index(rule) % len(palette)] for rule in table["rule"]]
    unit, seconds = next(
        (u, s)
        for u, s in (("hours", 3600), ("minutes", 60), ("seconds", 1))
        if table["seconds_total"].max() >= 2 * s or s == 1
    )
    total = table["seconds_total"].fillna(0)
    bars.barh(table.index, total / seconds, color=colours, height=0.7)
    for y, value in enumerate(total):
        bars.annotate(
            _duration(value),
            (value / seconds, y),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    bars.text(0, -1, "Total", va="center", weight="bold", fontsize=SMALL)
    bars.set_xlim(0, max(total.max() / seconds, 1e-9) * 1.6)
    bars.set_xlabel(f"Total time ({unit} of all jobs)")
    bars.spines["left"].set_visible(False)
    bars.tick_params(axis="y", length=0, labelleft=False)
    for ax in (text, bars):
        for y in table.index[new_study]:
            ax.axhline(y - 0.5, color=GREY, linewidth=0.5)
    write_below(
        figure,
        "Core-hours: processor time of each job's last process, so that a job that was resumed "
        "counts less than it took.",
    )
    return figure


def _duration(seconds: float) -> str:
    """Write a time in two of its units at most."""
    if not np.isfinite(seconds):
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def _hours(hours: float) -> str:
    """Write core-hours with two digits at least."""
    if not np.isfinite(hours):
        return "-"
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def _count(number: float) -> str:
    return f"{number:,.0f}" if np.isfinite(number) else "-"
