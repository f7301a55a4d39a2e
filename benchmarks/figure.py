"""The figure: how many times faster than each peer, and how far above the floor."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from rnncells.figures.style import figure_style

COLOURS = {
    "brc_pytorch": "#D55E00",
    "torch.nn": "#0072B2",
    "torchrecurrent": "#CC79A7",
    "readable": "#7F7F7F",
    "torch.compile": "#E69F00",
    "rnncells": "#009E73",
}
#: Gradient steps of one model in the published capacity study.
PUBLISHED_STEPS = 3000


@figure_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw the table, one panel for each group of cases that it has."""
    panels = {
        "layers": _ratios,
        "capacity": _above_floor,
        "scaling": _scaling,
        "gpu": _models_per_second,
    }
    groups = {name: table[table["group"] == name] for name in panels}
    groups = {name: rows for name, rows in groups.items() if len(rows)}
    heights = [max(rows["case"].nunique(), 4) + 3 for rows in groups.values()]
    figure = Figure(figsize=(7.0, 0.19 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(groups), height_ratios=heights, squeeze=False)[:, 0]
    for ax, (name, rows) in zip(axes, groups.items(), strict=True):
        panels[name](ax, rows)
    device = table.loc[table["group"] != "gpu", "device"].iloc[0]
    text = "Medians of a training step (forward, backward, Adam) in float32 on one thread of"
    figure.supxlabel(f"{text} {device}.", fontsize=7)
    return figure


@figure_style()
def save(figure: Figure, png: Path) -> None:
    """Write the figure."""
    png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(png, dpi=200, metadata={"Software": None})


def _ratios(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the ratio to each peer with its quartiles, and what it is to be at least."""
    rows = rows.dropna(subset="ratio")
    y = _cases(ax, rows)
    for peer, some in rows.groupby(rows["peer"].str.split(",").str[0], sort=False):
        ax.plot(some["ratio"], y[some.index], "o", ms=6, color=COLOURS[peer], label=peer)
        ax.hlines(y[some.index], some["ratio_low"], some["ratio_high"], COLOURS[peer])
    for k, row in rows.iterrows():
        ends = row[["ratio", "ratio_low", "ratio_high"]]
        _label(ax, ends.min(), ends.max(), y[k], f"{row['ratio']:.2g}", row["ratio_goal"])
    _goal(ax, rows["ratio_goal"], y)
    _multiples(ax, "times faster than")


def _above_floor(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw everybody's time in multiples of the matrix products alone."""
    y = _cases(ax, rows)
    own = rows.drop_duplicates("case")
    for peer, some in rows.dropna(subset="peer_ms").groupby("peer", sort=False):
        multiples = some["peer_ms"] / some["floor_ms"]
        ax.plot(multiples, y[some.index], "o", ms=5, color=COLOURS[peer], label=peer)
    ax.plot(own["floor_ratio"], y[own.index], "o", ms=6, color=COLOURS["rnncells"], label="kernels")
    ax.set_yticks(y[own.index], own["case"] + own["our_ms"].map(" ({:.2g} ms)".format))
    _goal(ax, own["floor_goal"], y)
    _multiples(ax, "time of an iteration, as a multiple of its matrix products alone")


def _scaling(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the time against that of as much work in small pieces; the band is ± 15 %."""
    y = _cases(ax, rows)
    ax.axvspan(1 / 1.15, 1.15, color="#EEEEEE", zorder=0)
    ax.plot(1 / rows["ratio"], y[rows.index], "o", ms=6, color=COLOURS["rnncells"])
    _multiples(ax, "time, as a multiple of T = 30 (or of one model) repeated")


def _models_per_second(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw how many models a GPU trains per second against how many it trains at once."""
    rate = 1e3 * rows["models"] / rows["our_ms"] / PUBLISHED_STEPS
    ax.loglog(rows["models"], rate, "o-", ms=5, color=COLOURS["rnncells"])
    ax.set_xlabel(f"models at once, on {rows['device'].iloc[0]}")
    ax.set_ylabel(f"models per second\n({PUBLISHED_STEPS:,} steps each)")


def _cases(ax: Axes, rows: pd.DataFrame) -> pd.Series:
    """Name the cases on the y axis, from top to bottom, and return each row's place."""
    names = list(dict.fromkeys(rows["case"]))
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params("y", length=0)
    ax.grid(axis="y", color="#E5E5E5", lw=0.6)
    ax.set_axisbelow(True)
    return rows["case"].map(names.index)


def _label(ax: Axes, low: float, high: float, y: float, text: str, goal: float) -> None:
    """Write a number beside what reaches from low to high, away from its goal, if there is one."""
    x, offset, side = (low, -6, "right") if goal > high else (high, 6, "left")
    place = {"xytext": (offset, 0), "textcoords": "offset points", "ha": side, "va": "center"}
    ax.annotate(text, (x, y), **place, fontsize=7)


def _goal(ax: Axes, x: pd.Series, y: pd.Series) -> None:
    """Mark what is to be reached."""
    ax.plot(x, y[x.index], "|", ms=9, mew=1.2, mec="black", label="goal")


def _multiples(ax: Axes, label: str) -> None:
    """Make the x axis one of multiples, with a line at 1."""
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.8), max(high * 1.3, 2.0))
    ticks = np.array([0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200])
    ax.set_xticks([t for t in ticks if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.axvline(1, color="#555555", lw=0.8, zorder=1)
    ax.set_xlabel(label)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.2)
