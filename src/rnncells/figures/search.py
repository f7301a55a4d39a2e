"""One hyperparameter search."""

import textwrap
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from .style import BLUE, GREY, RED, SMALL, WIDTH, add_footnote, divergence_note, figure_style

#: How hyperparameters are written on an axis.
_SYMBOLS = {
    "lr": "learning rate",
    "p": "sequences to learn",
    "tau": r"$\tau$",
    "tau_slow": r"$\tau_\mathrm{slow}$",
    "tau_fast": r"$\tau_\mathrm{fast}$",
    "gamma": r"$\gamma$",
    "alpha_h_prime": r"$\alpha_{h'}$",
    "sigma": r"$\sigma$",
}


@figure_style()
def draw(
    observations: pd.DataFrame, optimum: Mapping, surrogate: pd.DataFrame, protocol: Mapping
) -> Figure:
    """One hyperparameter search: what was tried, and what its surrogate expects.

    Upper right: the score of every configuration and the best so far. Diagonal: the score that the
    surrogate expects along one parameter, averaged over the others, with a band of one standard
    deviation. Below the diagonal: the same for pairs of parameters. Dots are the observed
    configurations; the red line and the star are the optimum of the surrogate's mean, which is what
    the study trains. Look for an optimum on the bound of the space, which asks for wider bounds,
    for a wide band at the optimum, which asks for more configurations, and for an optimum that
    moves when the surrogate is fitted again, which is not to be trusted.
    """
    space, names = optimum["space"], list(optimum["space"])
    surrogate = surrogate.fillna({"y_name": ""})
    figure = Figure(figsize=(WIDTH, 2.6 if len(names) == 1 else 1.65 * len(names) + 0.8))
    figure.set_layout_engine("constrained")
    grid = figure.add_gridspec(len(names), max(2, len(names)))
    _convergence(figure.add_subplot(grid[0, 1:]), observations)
    single = surrogate[surrogate["y_name"] == ""]
    for k, name in enumerate(names):
        ax = figure.add_subplot(grid[k, k])
        _dependence(ax, single[single["x_name"] == name], observations, name, optimum)
        _scale_axis(ax.xaxis, space[name], name, k == len(names) - 1)
        ax.set_ylabel("Score")
    double = surrogate[surrogate["y_name"] != ""]
    levels = MaxNLocator(14).tick_values(double["mean"].min(), double["mean"].max())
    pairs = []
    for x, y in combinations(names, 2):
        column, row = names.index(x), names.index(y)
        pairs.append(ax := figure.add_subplot(grid[row, column]))
        contours = _contours(ax, double, observations, (x, y), optimum, levels)
        _scale_axis(ax.xaxis, space[x], x, row == len(names) - 1)
        _scale_axis(ax.yaxis, space[y], y, column == 0)
    if pairs:
        bar = figure.colorbar(contours, ax=figure.axes, fraction=0.03, pad=0.01, aspect=40)
        bar.set_label("Score expected by the surrogate (pairs)")
        bar.outline.set_visible(False)
    figure.suptitle(_verdict(optimum), x=0.01, ha="left", fontsize=8)
    add_footnote(
        figure,
        protocol,
        "Partial dependence: the surrogate's mean over the other parameters; band: one standard "
        "deviation. Dots: observed configurations. Red line and star: the optimum chosen.",
        divergence_note((observations["diverged"] > 0).sum(), what="configurations"),
    )
    return figure


def _verdict(optimum: Mapping) -> str:
    """Say in words what the search found."""

    def listed(values: Mapping) -> str:
        return ", ".join(
            f"{_SYMBOLS.get(name, name)}\u00a0=\u00a0{x:.3g}" for name, x in values.items()
        )

    best = optimum["best_observed"]
    lines = [
        f"Optimum of the surrogate: {listed(optimum['values'])}; "
        f"score\u00a0{optimum['score']:.4g}\u00a0±\u00a0{optimum['score_sd']:.2g}",
        f"Best observed (configuration {best['configuration']}): {listed(best['values'])}; "
        f"score\u00a0{best['score']:.4g}",
    ]
    if optimum["on_bound"]:
        bounds = " and ".join(_SYMBOLS.get(name, name) for name in optimum["on_bound"])
        lines.append(f"On the bound of the space: {bounds}")
    lines.append(_stability(optimum["stability"]))
    return "\n".join(textwrap.fill(line, 118) for line in lines)


def _stability(stability: Mapping) -> str:
    """Say how far the optimum depends on the fit of the surrogate."""
    moved = [
        f"{_SYMBOLS.get(name, name)}\u00a0from {low:.3g} to {high:.3g}"
        for name, (low, high) in stability["range"].items()
        if high > low
    ]
    return (
        f"Stability: {stability['within_two_cells']} of {stability['refits']} fits with other "
        "seeds have their optimum within two cells of the grid"
        f"{': ' * bool(moved)}{', '.join(moved)}"
    )


def _convergence(ax: Axes, observations: pd.DataFrame) -> None:
    """Draw the score of every configuration and the best so far."""
    table = observations.sort_values("configuration")
    x, diverged = table["configuration"], table["diverged"] > 0
    score = table["score"]
    ax.plot(x[~diverged], score[~diverged], ".", color=GREY, alpha=0.6, mew=0, label="observed")
    if diverged.any():
        ax.plot(x[diverged], score[diverged], "x", mec=GREY, mew=0.8, label="diverged")
    ax.step(x, score.cummax(), where="post", color=BLUE, label="best so far")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1, ncols=3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="Configuration", ylabel="Score (higher is better)")


def _dependence(
    ax: Axes, table: pd.DataFrame, observations: pd.DataFrame, name: str, optimum: Mapping
) -> None:
    """Draw the score expected along one parameter."""
    table = table.sort_values("x")
    ax.plot(observations[name], observations["score"], ".", color=GREY, alpha=0.3, mew=0)
    ax.fill_between(
        table["x"],
        table["mean"] - table["sd"],
        table["mean"] + table["sd"],
        color=BLUE,
        alpha=0.25,
        linewidth=0,
    )
    ax.plot(table["x"], table["mean"], color=BLUE)
    ax.axvline(optimum["values"][name], color=RED, linewidth=1, clip_on=False)
    if name in optimum["on_bound"]:
        ax.set_title("on its bound", color=RED, fontsize=SMALL, pad=3)


def _contours(
    ax: Axes,
    table: pd.DataFrame,
    observations: pd.DataFrame,
    pair: tuple[str, str],
    optimum: Mapping,
    levels: np.ndarray,
):
    """Draw the score expected over the plane of two parameters."""
    x, y = pair
    # The table has each pair once, in either order.
    here = table[(table["x_name"] == x) & (table["y_name"] == y)]
    there = table[(table["x_name"] == y) & (table["y_name"] == x)].rename(
        columns={"x": "y", "y": "x"}
    )
    plane = pd.concat([here, there]).pivot(index="y", columns="x", values="mean")
    contours = ax.contourf(plane.columns, plane.index, plane, levels=levels, cmap="viridis")
    ax.plot(
        observations[x], observations[y], ".", color="white", markersize=3, mec="black", mew=0.2
    )
    ax.plot(
        optimum["values"][x],
        optimum["values"][y],
        "*",
        color=RED,
        markersize=10,
        mec="white",
        mew=0.6,
        clip_on=False,
        zorder=5,
    )
    return contours


def _scale_axis(axis, dimension: Mapping, name: str, labelled: bool) -> None:
    """Give an axis the scale and the bounds of a parameter, and its name if it is an outer one."""
    which = axis.axis_name
    axis.axes.set(
        **{
            f"{which}scale": "log" if dimension["scale"] == "log" else "linear",
            f"{which}lim": (dimension["low"], dimension["high"]),
        }
    )
    if dimension["scale"] == "log":
        # Between the powers of ten labels need more room than a panel has: only if there is none.
        axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(0.5, 0.4)))
    if labelled:
        axis.set_label_text(_SYMBOLS.get(name, name))
    else:
        axis.set_tick_params(
            which="both", **{"labelbottom" if which == "x" else "labelleft": False}
        )
