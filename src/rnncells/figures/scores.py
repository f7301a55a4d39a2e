"""Any task's final scores: the default figure."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..results.columns import CHANCE, CONFIGURATION, SOLVED
from .style import (
    COLUMN,
    GREY,
    WIDTH,
    add_footnote,
    cell_order,
    divergence_note,
    dot_rows,
    empty_figure,
    figure_style,
    label_right,
)

_NAMES = {"length": "length {}", "hidden": "{:,} {size_is}", "layers": "layers: {}"}
#: Panels beside each other, and how wide the figure then is.
_COLUMNS = {1: COLUMN, 2: COLUMN, 3: WIDTH, 4: WIDTH}


@figure_style()
def draw(metrics: pd.DataFrame, summary: pd.DataFrame, protocol: Mapping) -> Figure:
    """Final score of each cell: one number per trained network, for every length and size.

    A panel per length and size of the networks, a row per cell. Small dots are single seeds, the
    marker is their mean and the bar the interval of the mean that the footnote names. The dashed
    line is the chance level, which an untrained guess reaches. Look for cells whose dots lie on one
    side of another's, and for cells of which some seeds stay at the chance level: their mean
    describes no network.
    """
    scalars = metrics[metrics["axis"] == "none"]
    if scalars.empty:
        return empty_figure(protocol)
    cells = cell_order(scalars["cell"])
    axes_of_study = CONFIGURATION[1:]
    settings = scalars[axes_of_study].drop_duplicates().sort_values(axes_of_study[::-1])
    varying = [axis for axis in axes_of_study if settings[axis].nunique() > 1]
    # The task's own number first, then what else it measured.
    names = sorted(
        set(scalars["metric"]) - {CHANCE}, key=lambda name: (name != protocol["metric"], name)
    )
    columns = min(max(_COLUMNS), len(settings))
    lines = -(-len(settings) // columns)
    figure = Figure(
        figsize=(
            _COLUMNS[columns],
            len(names) * lines * (0.75 + 0.2 * len(cells)) + 0.1,
        ),
        layout="constrained",
    )
    grid = figure.add_gridspec(len(names) * lines, columns)
    for block, metric in enumerate(names):
        first = None
        for k, setting in enumerate(settings.to_dict("records")):
            row, column = divmod(k, columns)
            ax = figure.add_subplot(grid[block * lines + row, column], sharex=first, sharey=first)
            first = first or ax
            chosen = {"metric": metric, "axis": "none"} | setting
            dot_rows(ax, _where(summary, chosen), _where(scalars, chosen), cells)
            if metric == SOLVED:
                _count(ax, _where(scalars, chosen), cells)
                ax.set_xlim(-0.07, 1.07)
            if metric == protocol["metric"]:
                chance = protocol["chance"]
                if chance is None:
                    chance = _where(summary, chosen | {"metric": CHANCE})["mean"].mean()
                ax.axvline(chance, color=GREY, linestyle="--", linewidth=0.9, zorder=1)
            said = {"size_is": protocol["size_is"]}
            ax.set_title(", ".join(_NAMES[axis].format(setting[axis], **said) for axis in varying))
            ax.tick_params(axis="y", labelleft=column == 0)
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.set_xlabel(_words(metric))
    diverged = summary.drop_duplicates(CONFIGURATION)["diverged"].sum()
    add_footnote(
        figure,
        protocol,
        "Small dots: seeds; marker: their mean; bar: 95 % t interval of the mean. Dashed: chance "
        + ("level." if protocol["chance"] is None else f"level, {protocol['chance']:g}."),
        _criterion(protocol["solved"]),
        divergence_note(diverged, "and have no number here"),
    )
    return figure


def _count(ax: Axes, seeds: pd.DataFrame, cells: list[str]) -> None:
    """Write for each cell how many of its seeds solve the task, right of the panel."""
    for y, cell in enumerate(cells):
        values = seeds.loc[seeds["cell"] == cell, "value"]
        if len(values):
            label_right(ax, y, f"{values.sum():.0f} of {len(values)}")


def _words(metric: str) -> str:
    """Return a metric's name as it is written on an axis."""
    if metric == SOLVED:
        return "seeds that solve it"
    return metric.replace("_", " ").replace("mse", "MSE")


def _criterion(solved: tuple[str, str, float] | None) -> str:
    """Say what solving the task means, and which interval the share of seeds has."""
    if solved is None:
        return ""
    metric, side, threshold = solved
    words = f"Solved: {_words(metric)} {side} {threshold:g}"
    return f"{words} (number: seeds of all; bar: exact binomial 95 % interval)."


def _where(table: pd.DataFrame, values: Mapping) -> pd.DataFrame:
    """Return the rows of a table that have these values."""
    return table[(table[list(values)] == pd.Series(values)).all(axis=1)]
