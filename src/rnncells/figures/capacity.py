"""How many trajectories each cell stores."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from .style import (
    LIGHT,
    SMALL,
    WIDTH,
    add_footnote,
    cell_look,
    cell_order,
    divergence_note,
    empty_figure,
    figure_style,
    marker_style,
)


@figure_style()
def draw(summary: pd.DataFrame, runs: pd.DataFrame, protocol: Mapping) -> Figure:
    """Number of trajectories that each cell reproduces from memory.

    Left: against the number of hidden units, on an axis that is logarithmic above 10. Right: the
    cells ranked at their largest size. A trajectory counts as learned if its mean distance to the
    target is below the threshold. Markers are means over seeds, bars the 95 % t interval of the
    mean, small dots single seeds; a grey tick is the number of trajectories that a seed was
    given to learn. Look for cells whose intervals do not overlap, and for dots far from their tick:
    there the number given was too large for the cell. Diverged runs count with no trajectory
    learned.
    """
    table = summary[summary["metric"] == "sequences"]
    if table.empty:
        return empty_figure(protocol)
    rows = sorted(set(zip(table["length"], table["layers"], strict=True)))
    clusters = _clusters(sorted(table["hidden"].unique()))
    cells = cell_order(table["cell"])
    figure = Figure(
        figsize=(WIDTH, len(rows) * max(2.4, 1.1 + 0.2 * len(cells)) + 0.1), layout="constrained"
    )
    crowd = [table[table["hidden"].isin(cluster)]["cell"].nunique() for cluster in clusters]
    widths = [len(c) * (0.38 + 0.06 * n) + 0.2 for c, n in zip(clusters, crowd, strict=True)]
    grid = figure.add_gridspec(
        len(rows), len(clusters) + 1, width_ratios=[*widths, max(2, 0.6 * sum(widths))]
    )
    seeds = _sequences_of(runs)
    for row, (length, layers) in enumerate(rows):
        here = table[(table["length"] == length) & (table["layers"] == layers)]
        left = None
        for column, cluster in enumerate(clusters):
            ax = left = figure.add_subplot(grid[row, column], sharey=left)
            _by_size(ax, here, cluster, cells)
            if column == 0:
                which = f"\nlength {length}, layers: {layers}" if len(rows) > 1 else ""
                ax.set_ylabel(f"Sequences learned\n(logarithmic above 10){which}")
            else:
                ax.tick_params(labelleft=False)
            ax.set_yscale("symlog", linthresh=10, linscale=0.7)
            ticks = [0, 2, 5, 10, 20, 50, 100, 200, 500]
            ax.set_yticks(ticks, ticks)
            ax.yaxis.set_minor_locator(NullLocator())
            ax.set_ylim(0, max(10, 1.15 * here[["mean", "high"]].max().max()))
            ax.set_xlabel("Hidden units")
        there = seeds[(seeds["length"] == length) & (seeds["layers"] == layers)]
        _ranking(figure.add_subplot(grid[row, -1]), here, there)
    add_footnote(
        figure,
        protocol,
        "Marker: mean over seeds; bar: 95 % t interval of the mean. Right: number, the "
        "mean; small dots, single seeds; grey tick, the number of sequences given to learn.",
        divergence_note(runs["diverged"].sum(), "counted with no sequence learned"),
    )
    return figure


def _clusters(sizes: list[int]) -> list[list[int]]:
    """Cut sorted sizes wherever the next is more than four times as large."""
    clusters = [sizes[:1]]
    for previous, size in pairwise(sizes):
        clusters[-1].append(size) if size <= 4 * previous else clusters.append([size])
    return clusters


def _by_size(ax: Axes, table: pd.DataFrame, sizes: list[int], cells: list[str]) -> None:
    """Draw a line per cell over evenly spaced sizes, the cells beside each other."""
    table = table[table["hidden"].isin(sizes)]
    shown = [cell for cell in cells if (table["cell"] == cell).any()]
    for k, cell in enumerate(shown):
        line = table[table["cell"] == cell].sort_values("hidden")
        shift = 0.8 * ((k + 0.5) / len(shown) - 0.5)
        x = np.array([sizes.index(size) for size in line["hidden"]]) + shift
        ax.plot(x, line["mean"], **marker_style(cell), linewidth=0.7, label=cell)
        ax.vlines(x, line["low"], line["high"], color=cell_look(cell)[0], linewidth=1.2, zorder=1)
    ax.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    for x in range(0, len(sizes), 2):
        ax.axvspan(x - 0.5, x + 0.5, color="#F2F2F2", zorder=0, linewidth=0)


def _ranking(ax: Axes, table: pd.DataFrame, seeds: pd.DataFrame) -> None:
    """Draw the cells from best to worst, each at its largest size, with every seed."""
    best = table.loc[table.groupby("cell")["hidden"].idxmax()].sort_values("mean")
    usual = best["hidden"].mode().min()
    labels = []
    for y, row in enumerate(best.itertuples()):
        colour = cell_look(row.cell)[0]
        own = seeds[(seeds["cell"] == row.cell) & (seeds["hidden"] == row.hidden)]
        ax.plot(own["given"], [y] * len(own), "|", color=LIGHT, markersize=8, mec=LIGHT, mew=1)
        below = [y - 0.3] * len(own)
        ax.plot(own["sequences"], below, ".", color=colour, alpha=0.5, mew=0)
        ax.hlines(y, row.low, row.high, color=colour, linewidth=1.4)
        ax.plot(row.mean, y, **marker_style(row.cell, 5.5), label=row.cell)
        ax.annotate(
            "-" if np.isnan(row.mean) else f"{row.mean:.1f}",
            (1.02, y),
            xycoords=ax.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
        )
        labels.append(row.cell + (f" ({row.hidden:g})" if row.hidden != usual else ""))
    ax.set_yticks(range(len(best)), labels)
    for tick, cell in zip(ax.get_yticklabels(), best["cell"], strict=True):
        tick.set_color(cell_look(cell)[0])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.7, len(best) - 0.4)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="x", linewidth=0.4)
    ax.set_title(f"Ranking at {usual:g} hidden units")
    ax.set_xlabel("Sequences learned")


def _sequences_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with the sequences given (p, rounded) and learned, (score + p) / 2."""
    given = runs["p"].round() if "p" in runs else pd.Series(np.nan, runs.index)
    return runs.assign(given=given, sequences=(runs["score"] + given) / 2)
