"""The accuracy of binary addition."""

from collections.abc import Mapping
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..results.columns import CONFIGURATION
from .style import (
    GREY,
    SMALL,
    add_footnote,
    add_legend,
    cell_look,
    cell_order,
    divergence_note,
    draw_line,
    draw_seeds,
    empty_figure,
    figure_style,
    marker_style,
    panels,
    size_label,
)


@figure_style()
def draw(metrics: pd.DataFrame, summary: pd.DataFrame, protocol: Mapping) -> Figure:
    """Accuracy of binary addition against the length of the test sequences.

    The length is the number of digits of both operands together. A panel per network size; each
    thin line is a seed, the thick line of a cell the mean over its seeds. Right of the lines: the
    mean at the greatest length with its 95 % t interval. A sample counts only if every bit of the
    sum is right. The vertical dotted line marks the longest length in training: to its right, the
    network has to generalise. Look for how far to the right of it a cell stays near 1.
    """
    table, seeds = (part[part["metric"] == "accuracy"] for part in (summary, metrics))
    if table.empty:
        return empty_figure(protocol)
    layers, hidden, trained = (sorted(table[c].unique()) for c in ("layers", "hidden", "length"))
    cells = cell_order(table["cell"])
    dashes = dict(zip(reversed(trained), ("-", "--", ":", "-.") * len(trained), strict=False))
    figure, axes = panels(len(layers), len(hidden))
    for (row, depth), (column, size) in product(enumerate(layers), enumerate(hidden)):
        ax = axes[row, column]
        own, theirs = (
            part[(part["hidden"] == size) & (part["layers"] == depth)] for part in (table, seeds)
        )
        for k, cell in enumerate(cells):
            for length, line in own[own["cell"] == cell].groupby("length"):
                of_seeds = theirs[(theirs["cell"] == cell) & (theirs["length"] == length)]
                draw_seeds(
                    ax, cell, of_seeds.pivot(index="position", columns="seed", values="value")
                )
                line = line.sort_values("position")
                draw_line(ax, cell, line["position"], line["mean"], k / len(cells), dashes[length])
        _at_the_end(ax, own[own["length"] == trained[-1]], cells)
        ax.axvline(trained[-1], color=GREY, linestyle=":", linewidth=0.9, zorder=1)
        ax.annotate(
            f"trained up to {trained[-1]}",
            (trained[-1], 1.02),
            (0, 1),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=GREY,
        )
        ax.set_title(size_label(size, depth, protocol["size_is"]).capitalize(), pad=12)
        ax.set_ylim(0, 1.02)
        if row == len(layers) - 1:
            ax.set_xlabel("Sequence length (digits)")
        if column == 0:
            ax.set_ylabel("Accuracy")
    key = [Line2D([], [], color=GREY, ls=dashes[n], label=f"trained up to {n}") for n in trained]
    add_legend(figure, cells, key if len(key) > 1 else ())
    add_footnote(
        figure,
        protocol,
        "Sequence length: digits of both operands together. Accuracy: share of samples with every "
        "bit right. Thin: single seeds; thick: their mean; right of the lines, the mean at length "
        f"{table['position'].max():g} with its 95 % t interval (cut at 0 and 1).",
        divergence_note(table.drop_duplicates(CONFIGURATION)["diverged"].sum()),
    )
    return figure


def _at_the_end(ax: Axes, table: pd.DataFrame, cells: list[str]) -> None:
    """Draw the means at the greatest length, with their intervals, beside each other."""
    first, last = table["position"].min(), table["position"].max()
    step = 0.035 * (last - first)
    ax.set_xlim(first - 2 * step, last + (len(cells) + 1) * step)
    for k, cell in enumerate(cells):
        for row in table[(table["cell"] == cell) & (table["position"] == last)].itertuples():
            x = last + (k + 1) * step
            ax.vlines(x, max(row.low, 0), min(row.high, 1), color=cell_look(cell)[0], linewidth=1.2)
            ax.plot(x, row.mean, **marker_style(cell, 3.5), linestyle="")
    # There are no lengths beyond the last one.
    ticks = MaxNLocator(6).tick_values(first, last)
    ax.set_xticks([tick for tick in ticks if first - 2 * step <= tick <= last])
    ax.spines["bottom"].set_bounds(ax.get_xlim()[0], last)
