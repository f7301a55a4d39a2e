"""How many trajectories each cell stores."""

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.columns import CONFIGURATION
from .style import (
    GREY,
    WIDTH,
    add_footnote,
    cell_order,
    divergence_note,
    dot_rows,
    empty_figure,
    figure_style,
    synthetic_note,
)

_TICKS = [0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 500]


@figure_style()
def draw(
    summary: pd.DataFrame, runs: pd.DataFrame, published: pd.DataFrame, protocol: Mapping
) -> Figure:
    """Number of trajectories that each cell reproduces from memory.

    A panel per number of hidden units, a row per cell, the best cell on top; the axis grows with
    the square root. A trajectory counts as learned if its mean distance to the target is below the
    threshold. Small dots are single seeds, the marker is their mean, the bar its 95 % t interval. A
    grey tick is the number of trajectories that a seed was given to learn, an open circle what the
    published search expects. Look for cells whose intervals do not overlap, and for dots far from
    their tick: there the number given was too large for the cell. Diverged runs count with no
    trajectory learned.
    """
    table = summary[summary["metric"] == "sequences"]
    if table.empty:
        return empty_figure(protocol)
    seeds = _sequences_of(runs)
    expectations = published.merge(table[CONFIGURATION])
    settings = sorted(set(zip(table["length"], table["layers"], strict=True)))
    ranking = _ranking(table)
    clusters = _clusters(sorted(table["hidden"].unique()))
    blocks = [
        (length, layers, sizes, [cell for cell in ranking if cell in set(own["cell"])])
        for length, layers in settings
        for sizes in clusters
        if len(own := _where(table, length, layers, sizes))
    ]
    heights = [0.75 + 0.19 * len(cells) for *_, cells in blocks]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.3), layout="constrained")
    most = 1.05 * np.nanmax([*expectations["value"], *seeds["given"], *seeds["sequences"], 1.0])
    # Narrow columns, of which a panel takes several: rows of three and of four panels are aligned.
    columns = math.lcm(*(len(sizes) for _, _, sizes, _ in blocks))
    ratios = [len(cells) + 0.2 for *_, cells in blocks]
    grid = figure.add_gridspec(len(blocks), columns, height_ratios=ratios)
    for row, (length, layers, sizes, cells) in enumerate(blocks):
        width = columns // len(sizes)
        for column, size in enumerate(sizes):
            ax = figure.add_subplot(grid[row, column * width : (column + 1) * width])
            own, theirs, expected = (
                _where(part, length, layers, [size]) for part in (table, seeds, expectations)
            )
            _panel(ax, own, theirs, expected, cells)
            ax.tick_params(axis="y", labelleft=column == 0)
            which = f" (length {length}, layers: {layers})" if len(settings) > 1 else ""
            ax.set_title(f"{size:g} hidden units{which}")
            ax.set_xlabel("Sequences learned")
            _scale(ax, most, 0.036 * len(sizes) + 0.02)
    _legend(figure, len(expectations) > 0)
    add_footnote(
        figure,
        protocol,
        "Bars (95 % t intervals of the means) are cut at 0 and at the number given. The axes grow "
        "with the square root.",
        synthetic_note(protocol),
        divergence_note(runs["diverged"].sum(), "counted with no sequence learned"),
    )
    return figure


def _panel(
    ax: Axes, own: pd.DataFrame, seeds: pd.DataFrame, published: pd.DataFrame, cells: list[str]
) -> None:
    """Draw one number of hidden units."""
    given = seeds.groupby("cell")["given"].max().reindex(own["cell"]).to_numpy()
    # A mean of counts is between none and all: what an interval has beyond is not possible.
    possible = own.assign(low=own["low"].clip(lower=0), high=own["high"].clip(upper=given))
    dot_rows(ax, possible, seeds.rename(columns={"sequences": "value"}), cells)
    for y, cell in enumerate(cells):
        offered = seeds.loc[seeds["cell"] == cell, "given"]
        ax.plot(offered, [y] * len(offered), zorder=1.5, **_OFFERED)
        expected = published.loc[published["cell"] == cell, "value"]
        ax.plot(expected, [y] * len(expected), zorder=1.7, **_EXPECTED)
    for y in range(len(cells)):
        ax.axhline(y, color="0.93", linewidth=0.6, zorder=0)


_OFFERED = {"linestyle": "", "marker": "|", "markersize": 7, "mec": "0.6", "mew": 1.2}
_EXPECTED = {"linestyle": "", "marker": "o", "markersize": 5.5, "mfc": "none", "mec": "0.15"}
_EXPECTED |= {"mew": 0.8}


def _legend(figure: Figure, published: bool) -> None:
    look = {"color": GREY, "markersize": 5}
    handles = [
        Line2D([], [], marker="o", linewidth=1.4, label="mean of the seeds, 95 % interval", **look),
        Line2D([], [], marker=".", linestyle="", mew=0, label="one seed", color=GREY),
        Line2D([], [], label="sequences given", **_OFFERED),
    ]
    if published:
        handles.append(Line2D([], [], label="published expectation", **_EXPECTED))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def _scale(ax: Axes, most: float, room: float) -> None:
    """Make an axis of counts from 0 that grows with the square root.

    Ticks have ``room`` for their labels, as a share of the axis.
    """
    ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
    ax.set_xlim(0, most)
    first, *ticks = [tick for tick in _TICKS if tick <= most]
    apart: list[float] = []
    for tick in reversed(ticks):
        neighbours = [first, *apart[:1]]
        if min(abs(np.sqrt(tick) - np.sqrt(other)) for other in neighbours) > room * most**0.5:
            apart.insert(0, tick)
    ax.set_xticks([first, *apart], [first, *apart])


def _ranking(table: pd.DataFrame) -> list[str]:
    """Return the cells by the mean at their largest size, the best one first."""
    best = table.loc[table.groupby("cell")["hidden"].idxmax()]
    order = cell_order(best["cell"])
    best = best.sort_values("cell", key=lambda cells: cells.map(order.index))
    return list(
        best.sort_values("mean", ascending=False, kind="stable", na_position="last")["cell"]
    )


def _clusters(sizes: list[int]) -> list[list[int]]:
    """Cut sorted sizes wherever the next is more than four times as large."""
    clusters = [sizes[:1]]
    for previous, size in pairwise(sizes):
        clusters[-1].append(size) if size <= 4 * previous else clusters.append([size])
    return clusters


def _where(table: pd.DataFrame, length: int, layers: int, sizes: list[int]) -> pd.DataFrame:
    chosen = (table["length"] == length) & (table["layers"] == layers)
    return table[chosen & table["hidden"].isin(sizes)]


def _sequences_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with the sequences given (p, rounded) and learned, (score + p) / 2."""
    given = runs["p"].round() if "p" in runs else pd.Series(np.nan, runs.index)
    return runs.assign(given=given, sequences=(runs["score"] + given) / 2)
