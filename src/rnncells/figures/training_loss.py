"""The training loss of copy-first-input."""

from collections.abc import Mapping
from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from ..results.columns import CONFIGURATION
from .style import (
    GREY,
    add_footnote,
    add_legend,
    cell_order,
    diverged_runs,
    divergence_note,
    draw_band,
    draw_line,
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

    One panel per length, one row per network size, one line per cell. Each seed's loss is a moving
    average; the line is the mean over seeds and the band reaches from the lowest to the highest
    seed. The dashed line is the goal at which a seed stops training, the dotted line the error of a
    guess that ignores the input. Look for the step at which a cell leaves the dotted line: at a
    long length, a cell that stays there has not learned to remember. Seeds that diverged are left
    out and counted in the footnote, which also says what is smaller than in the published protocol.
    """
    diverged = diverged_runs(metrics)
    loss = metrics[metrics["metric"] == "train_loss"]
    if loss.empty:
        return empty_figure(protocol, divergence_note(len(diverged)))
    lengths = sorted(loss["length"].unique())
    sizes = sorted(set(zip(loss["hidden"], loss["layers"], strict=True)))
    figure, axes = panels(len(sizes), len(lengths))
    cells, windows, top = cell_order(loss["cell"]), {}, 1.2
    groups = dict(iter(loss.groupby(CONFIGURATION)))
    for (row, (hidden, layers)), (column, length) in product(enumerate(sizes), enumerate(lengths)):
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
            # A seed that has stopped keeps its network: left out, it would move the others' mean.
            smooth = smooth.ffill().dropna(how="all")
            if smooth.empty:
                continue
            smooth = thinned(smooth)
            draw_line(ax, cell, smooth.index, smooth.mean(axis=1), k / len(cells))
            draw_band(ax, cell, smooth.index, smooth.min(axis=1), smooth.max(axis=1))
            top = max(top, smooth.mean(axis=1).max())
        goal = protocol["training"].get("stop_below")
        for level, dashes, label in (
            (goal, "--", f"goal {goal}"),
            (protocol["chance"], ":", "chance"),
        ):
            if level is None:
                continue
            ax.axhline(level, color=GREY, linestyle=dashes, linewidth=0.9, zorder=1)
            if column == len(lengths) - 1:
                label_right(ax, level, label)
        ax.set_title(f"Length {length}")
        ax.set_xlim(left=0)
        if row == len(sizes) - 1:
            ax.set_xlabel("Gradient step")
    axes[0, 0].set_ylim(0, min(top * 1.05, 1.6))
    for row, size in enumerate(sizes):
        axes[row, 0].set_ylabel(f"Training loss (MSE)\n{size_label(*size)}")
    add_legend(figure, cells)
    window = ", ".join(
        f"{window} steps (length {', '.join(dict.fromkeys(which))})"
        for window, which in windows.items()
    )
    add_footnote(
        figure,
        protocol,
        f"Moving average over {window}. Line: mean over seeds; band: lowest to highest seed. A "
        "seed that reached the goal keeps its last value until the line ends.",
        divergence_note(len(diverged), "left out"),
    )
    return figure
