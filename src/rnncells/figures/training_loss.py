"""The training loss of copy-first-input."""

from collections.abc import Mapping
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.columns import CONFIGURATION
from .style import (
    GREY,
    add_footnote,
    add_legend,
    cell_order,
    diverged_runs,
    divergence_note,
    draw_line,
    draw_seeds,
    empty_figure,
    figure_style,
    label_right,
    panels,
    size_label,
    thinned,
)


@figure_style()
def draw(metrics: pd.DataFrame, protocol: Mapping) -> Figure:
    """Training loss (mean squared error) of copy-first-input against gradient steps.

    A panel per length and network size. Each thin line is a seed, smoothed by a moving average; it
    ends where the seed reached the goal. The thick line of a cell is the mean over its seeds. The
    dashed line is the goal at which a seed stops training, the dotted line the error of a guess
    that ignores the input. Look for the step at which a cell leaves the dotted line: at a long
    length, a cell that stays there has not learned to remember. Seeds that diverged are left out
    and counted in the footnote, which also says what is smaller than in the published protocol.
    """
    diverged = diverged_runs(metrics)
    loss = metrics[metrics["metric"] == "train_loss"]
    if loss.empty:
        return empty_figure(protocol, divergence_note(len(diverged)))
    lengths = sorted(loss["length"].unique())
    sizes = sorted(set(zip(loss["hidden"], loss["layers"], strict=True)))
    figure, axes = panels(len(lengths), len(sizes))
    cells, windows, top = cell_order(loss["cell"]), {}, 1.2
    groups = dict(iter(loss.groupby(CONFIGURATION)))
    for (row, length), (column, (hidden, layers)) in product(enumerate(lengths), enumerate(sizes)):
        ax = axes[row, column]
        steps = max((g["position"].max() for k, g in groups.items() if k[1] == length), default=1)
        window = max(1, min(20 if length <= 10 else 100, int(steps) // 10))
        windows.setdefault(window, []).append(str(length))
        for k, cell in enumerate(cells):
            key = (cell, length, hidden, layers)
            if key not in groups:
                continue
            seeds = groups[key].pivot(index="position", columns="seed", values="value")
            seeds = seeds[[seed for seed in seeds if (*key, seed) not in diverged]]
            first = max(1, min(window // 4, len(seeds)))
            smooth = seeds.rolling(window, min_periods=first).mean().where(seeds.notna())
            smooth = smooth.dropna(how="all")
            if smooth.empty:
                continue
            # A seed that has stopped keeps its network: left out, it would move the others' mean.
            mean = thinned(smooth.ffill().mean(axis=1))
            draw_seeds(ax, cell, thinned(smooth))
            draw_line(ax, cell, mean.index, mean, k / len(cells))
            top = max(top, mean.max())
        _levels(ax, protocol, column == len(sizes) - 1)
        size = f", {size_label(hidden, layers, protocol['size_is'])}" if len(sizes) > 1 else ""
        ax.set_title(f"Length {length}{size}")
        ax.set_xlim(left=0)
        if row == len(lengths) - 1:
            ax.set_xlabel("Gradient step")
        if column == 0:
            ax.set_ylabel("Training loss (MSE)")
    axes[0, 0].set_ylim(0, min(top * 1.05, 1.6))
    add_legend(figure, cells)
    window = ", ".join(
        f"{window} steps (length {', '.join(dict.fromkeys(which))})"
        for window, which in windows.items()
    )
    add_footnote(
        figure,
        protocol,
        size_label(*sizes[0], protocol["size_is"]).capitalize() + "." if len(sizes) == 1 else "",
        f"Moving average over {window}. Thin: single seeds; thick: their mean, in which a seed "
        "that reached the goal keeps its last value.",
        divergence_note(len(diverged), "left out"),
    )
    return figure


def _levels(ax: Axes, protocol: Mapping, labelled: bool) -> None:
    """Draw the goal and the chance level."""
    goal = protocol["training"].get("stop_below")
    levels = {"--": (goal, f"goal {goal}"), ":": (protocol["chance"], "chance")}
    for dashes, (level, label) in levels.items():
        if level is not None:
            ax.axhline(level, color=GREY, linestyle=dashes, linewidth=0.9, zorder=1)
            if labelled:
                label_right(ax, level, label)
