"""Published numbers beside ours."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.scorecard import VERDICTS
from .style import GREY, LIGHT, SMALL, WIDTH, cell_order, figure_style, marker_style

#: The colour of each verdict.
COLOURS = dict(
    zip(VERDICTS, ("#009E73", "#E69F00", "#D55E00", "#56B4E9", LIGHT, "#EEEEEE"), strict=True)
)
#: The kinds of claims, as an axis calls them.
KINDS = {
    "value": "numbers",
    "above": "bounds",
    "below": "bounds",
    "higher": "orders of two cells",
    "lower": "orders of two cells",
    "rank": "rankings",
}
#: The numbers of each task, and how an axis calls them.
PANELS = {
    "copy_first_input": "Training loss at the end",
    "binary_addition": "Accuracy at length 60",
    "trajectory_generation": "Sequences learned",
}


@figure_style()
def draw(table: pd.DataFrame) -> Figure:
    """Published numbers beside ours, and the verdict on every claim.

    Above: how many of the claims of each task are reproduced, by kind of claim. Below: every
    published number against ours; a cell is a marker, vertical bars are 95 % intervals over seeds,
    horizontal ones the error of reading, and the colour of the bars is the verdict. On the diagonal
    both agree. Numbers whose study departs from the published protocol are faint. The page beside
    the figure says how a verdict is reached, and what has not been run.
    """
    numbers = table[(table["kind"] == "value") & np.isfinite(table["ours"])]
    tasks = [task for task in PANELS if (numbers["task"] == task).any()]
    kind = table["kind"].map(KINDS)
    kinds = table.groupby(["task", kind], sort=False)["verdict"].value_counts().unstack()
    height = 0.2 * len(kinds) + 1.0
    figure = Figure(figsize=(WIDTH, height + 3.0 * bool(tasks)), layout="constrained")
    grid = figure.add_gridspec(
        1 + bool(tasks), max(1, len(tasks)), height_ratios=[height, 3.0][: 1 + bool(tasks)]
    )
    _tally(figure.add_subplot(grid[0, :]), kinds.fillna(0))
    for column, task in enumerate(tasks):
        _numbers(figure.add_subplot(grid[1, column]), numbers[numbers["task"] == task], task)
    cells = cell_order(numbers["cell"])
    handles = [Line2D([], [], **marker_style(cell), linestyle="", label=cell) for cell in cells]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)))
    return figure


def _tally(ax: Axes, kinds: pd.DataFrame) -> None:
    """Draw a stacked bar per task and kind of claim."""
    rows = np.arange(len(kinds))
    left = np.zeros(len(kinds))
    for verdict in VERDICTS:
        if verdict not in kinds or not kinds[verdict].any():
            continue
        count = kinds[verdict].to_numpy(float)
        bars = ax.barh(rows, count, left=left, color=COLOURS[verdict], height=0.75, label=verdict)
        ax.bar_label(
            bars, [f"{n:.0f}" if n else "" for n in count], label_type="center", fontsize=SMALL
        )
        left += count
    ax.set_yticks(rows, [f"{task.replace('_', ' ')}: {kind}" for task, kind in kinds.index])
    ax.set_ylim(len(kinds) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("Claims")
    ax.figure.legend(loc="outside upper center", ncols=len(VERDICTS), columnspacing=1.2)


def _numbers(ax: Axes, numbers: pd.DataFrame, task: str) -> None:
    """Draw published numbers against ours."""
    counts = task == "trajectory_generation"
    both = np.concatenate([numbers["value"], numbers["ours"], numbers["low"], numbers["high"]])
    both = both[np.isfinite(both)]
    edges = (max(0.8, both.min() / 1.2), both.max() * 1.2) if counts else (0.0, 1.05)
    ax.plot(edges, edges, color=GREY, linewidth=0.8, zorder=0)
    for row in numbers.itertuples():
        faint = 0.35 if row.verdict == "not comparable" else 1.0
        style = {"color": COLOURS[row.verdict], "linewidth": 1.4, "alpha": faint}
        x, y = max(row.value, edges[0]), max(row.ours, edges[0])
        ax.hlines(y, max(row.value - row.error, edges[0]), row.value + row.error, **style)
        if np.isfinite(row.low):
            ax.vlines(x, max(row.low, edges[0]), max(row.high, edges[0]), **style)
        ax.plot(x, y, **marker_style(row.cell), linestyle="", alpha=faint, label=row.cell)
    if counts:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200) if edges[0] <= t <= edges[1]]
        ax.set_xticks(ticks, ticks)
        ax.set_yticks(ticks, ticks)
        ax.minorticks_off()
    ax.set(xlim=edges, ylim=edges, xlabel="Published", title=PANELS[task])
    ax.set_ylabel("Ours")
    ax.set_box_aspect(1)
