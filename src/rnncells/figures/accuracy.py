"""The accuracy of binary addition."""

from collections.abc import Mapping
from itertools import product

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.columns import CONFIGURATION
from .style import (
    GREY,
    SMALL,
    add_footnote,
    add_legend,
    cell_order,
    divergence_note,
    draw_band,
    draw_line,
    empty_figure,
    figure_style,
    panels,
    size_label,
)


@figure_style()
def draw(summary: pd.DataFrame, protocol: Mapping) -> Figure:
    """Accuracy of binary addition against the length of the test sequences.

    The length is the number of digits of both operands together. One line per cell, one panel per
    network size. A sample counts only if every bit of the sum is right. The line is the mean over
    seeds, the band the standard error of the mean. The vertical dotted line marks the longest
    length in training: to its right, the network has to generalise. Look for how far to the right
    of it a cell stays near 1.
    """
    table = summary[summary["metric"] == "accuracy"]
    if table.empty:
        return empty_figure(protocol)
    layers, hidden, trained = (sorted(table[c].unique()) for c in ("layers", "hidden", "length"))
    cells = cell_order(table["cell"])
    dashes = dict(zip(reversed(trained), ("-", "--", ":", "-.") * len(trained), strict=False))
    figure, axes = panels(len(hidden), len(layers))
    for (row, size), (column, depth) in product(enumerate(hidden), enumerate(layers)):
        ax = axes[row, column]
        panel = table[(table["hidden"] == size) & (table["layers"] == depth)]
        for k, cell in enumerate(cells):
            for length, line in panel[panel["cell"] == cell].groupby("length"):
                line = line.sort_values("position")
                x, mean, sem = line["position"], line["mean"], line["sem"]
                draw_line(ax, cell, x, mean, k / len(cells), dashes[length])
                draw_band(ax, cell, x, mean - sem, mean + sem)
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
        ax.set_title(size_label(size, depth).capitalize(), pad=12)
        ax.set_ylim(0, 1.02)
        if row == len(hidden) - 1:
            ax.set_xlabel("Sequence length (digits)")
        if column == 0:
            ax.set_ylabel("Accuracy (share of samples\nwith every bit right)")
    key = [Line2D([], [], color=GREY, ls=dashes[n], label=f"trained up to {n}") for n in trained]
    add_legend(figure, cells, key if len(key) > 1 else ())
    add_footnote(
        figure,
        protocol,
        "Sequence length: digits of both operands together. Line: mean over seeds; band: standard "
        "error of the mean.",
        divergence_note(table.drop_duplicates(CONFIGURATION)["diverged"].sum()),
    )
    return figure
