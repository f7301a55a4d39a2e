"""Every cell on every study at a glance."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from .style import (
    GREY,
    SMALL,
    WIDTH,
    cell_look,
    empty_figure,
    figure_style,
    marker_style,
    write_below,
)

#: Inches per row, and points of the numbers in it.
ROW, NUMBERS = 0.165, 6.0


@figure_style()
def draw(
    scores: pd.DataFrame,
    ranking: pd.DataFrame,
    pairs: pd.DataFrame,
    references: Mapping[str, Mapping[str, float]],
    tasks: Mapping[str, str],
) -> Figure:
    """All cells on all studies, from 0, chance level, to 1, perfect.

    Above: a row per cell, the best on top; a column per study. A number is the mean over a study's
    seeds and configurations, empty where the cell is not in the study. Right of it: the
    interquartile mean over all studies, with the 95 % interval of a stratified bootstrap over
    seeds; cells that are in fewer studies come last. Below the line, in italics: other models with
    the same budgets of parameters, as published by others, not trained here.

    Below: the probability that a run of the row's cell scores higher than one of the column's,
    averaged over the tasks that both have. Bold where its interval does not hold 0.5. Look for rows
    that are bold against most others; neighbours in the ranking often are no different.

    overview.csv, beside the figure, has every run.
    """
    if scores.empty:
        return empty_figure(None)
    studies = list(tasks)
    cells, models = list(ranking["cell"]), list(references)
    below = 0.0 if pairs.empty else ROW * (len(cells) + 0.5) + 1.0
    above = ROW * (len(cells) + len(models)) + 1.75
    figure = Figure(figsize=(WIDTH, above + below), layout="constrained")
    heights = [above, below] if below else [above]
    top, *bottom = figure.subfigures(len(heights), height_ratios=heights, squeeze=False)[:, 0]
    grid, means_ax = top.subplots(1, 2, sharey=True, width_ratios=[3.6, 1])
    image = _scores(grid, scores, cells, references, tasks)
    _means(means_ax, ranking)
    for ax in (grid, means_ax):
        if models:
            ax.axhline(len(cells) - 0.5, color=GREY, linewidth=1.0)
    if models:
        place = (0.5, len(cells) + (len(models) - 1) / 2)
        look = {"fontsize": SMALL, "style": "italic", "color": GREY}
        means_ax.text(*place, "published\nby others", ha="center", va="center", **look)
    key = top.colorbar(image, ax=means_ax, fraction=0.09, pad=0.04, ticks=[0, 0.5, 1])
    key.set_label("Score: 0 chance, 1 perfect", labelpad=1)
    for panel in bottom:
        ax = panel.subplots()
        key = panel.colorbar(_pairs(ax, pairs, cells), ax=ax, fraction=0.03, pad=0.015)
        key.set_ticks([0, 0.5, 1])
        key.set_label("P(row scores higher)", labelpad=1)
    _footnote(figure, scores, models, len(studies))
    return figure


def _scores(
    ax: Axes,
    scores: pd.DataFrame,
    cells: list[str],
    references: Mapping[str, Mapping[str, float]],
    tasks: Mapping[str, str],
) -> AxesImage:
    """Draw the mean scores: a row per cell and published model, a column per study."""
    studies = list(tasks)
    means = scores.pivot_table(index="cell", columns="study", values="score", aggfunc="mean")
    values = means.reindex(index=cells, columns=studies).to_numpy(float)
    others = [[of.get(study, np.nan) for study in studies] for of in references.values()]
    values = np.vstack([values, np.array(others, float).reshape(-1, len(studies))])
    image = ax.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    _write(ax, values, dark=values < 0.6)
    names = []
    for task, group in groupby(studies, key=lambda study: tasks[study]):
        own = list(group)
        short, common = without_common_parts(own)
        first = len(names)
        names += short
        if first:
            ax.axvline(first - 0.5, color="white", linewidth=2.0)
        if common:
            ax.text(first + (len(own) - 1) / 2, -0.75, common or task, ha="center", va="bottom")
    ax.set_xticks(range(len(studies)), names, rotation=60, ha="right", rotation_mode="anchor")
    _name_rows(ax, cells, list(references))
    return image


def _means(ax: Axes, ranking: pd.DataFrame) -> None:
    """Draw the interquartile mean of each cell with its interval."""
    for y, row in enumerate(ranking.itertuples()):
        style = marker_style(row.cell, 5)
        ax.hlines(y, row.low, row.high, color=style["color"], linewidth=1.4)
        ax.plot(row.iqm, y, **style, linestyle="", clip_on=False)
    ax.set(xlim=(-0.03, 1.03), xlabel="Interquartile mean", xticks=[0, 0.5, 1])
    ax.tick_params(axis="y", labelleft=False, length=0)
    ax.grid(axis="x", linewidth=0.4)


def _pairs(ax: Axes, pairs: pd.DataFrame, cells: list[str]) -> AxesImage:
    """Draw the probability of improvement of each cell over each other one."""
    table = pairs.pivot(index="cell", columns="other").reindex(index=cells)
    values, low, high = (
        table[name].reindex(columns=cells).to_numpy(float)
        for name in ("probability", "low", "high")
    )
    image = ax.imshow(values, vmin=0, vmax=1, cmap="PuOr_r", aspect="auto")
    _write(ax, values, dark=np.abs(values - 0.5) > 0.33, bold=(low > 0.5) | (high < 0.5))
    ax.set_xticks(range(len(cells)), cells, rotation=60, ha="right", rotation_mode="anchor")
    for tick, cell in zip(ax.get_xticklabels(), cells, strict=True):
        tick.set_color(cell_look(cell)[0])
    _name_rows(ax, cells, [])
    ax.set_title("Probability of improvement of the row over the column")
    return image


def _write(ax: Axes, values: np.ndarray, dark: np.ndarray, bold: np.ndarray | bool = False) -> None:
    """Write every number into its field: white where that is dark."""
    bold = np.broadcast_to(bold, values.shape)
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            text = f"{value:.2f}".removeprefix("0").replace("1.00", "1.0")
            ax.text(
                x,
                y,
                text,
                ha="center",
                va="center_baseline",
                fontsize=NUMBERS,
                color="white" if dark[y, x] else "black",
                weight="bold" if bold[y, x] else "normal",
            )


def _name_rows(ax: Axes, cells: list[str], models: list[str]) -> None:
    """Name the rows: cells in their colours, published models in italics."""
    ax.set_yticks(range(len(cells) + len(models)), [*cells, *models])
    labels = ax.get_yticklabels()
    for tick, cell in zip(labels, cells, strict=False):
        tick.set_color(cell_look(cell)[0])
    for tick in labels[len(cells) :]:
        tick.set(color=GREY, style="italic")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def without_common_parts(names: Sequence[str]) -> tuple[list[str], str]:
    """Shorten names by the parts that all begin and end with; return these too.

    Three names and more are shortened: those of the studies that one with the key ``each`` makes.
    """
    parts = [name.split("-") for name in names]
    start = end = 0
    if len(names) > 2:
        longest = min(map(len, parts)) - 1
        while start < longest and len({part[start] for part in parts}) == 1:
            start += 1
        while end < longest - start and len({part[-1 - end] for part in parts}) == 1:
            end += 1
    common = [*parts[0][:start], *parts[0][len(parts[0]) - end :]]
    shown = ["-".join(part[start : len(part) - end]) for part in parts]
    return [name.replace("_", " ") for name in shown], ", ".join(common)


def _footnote(figure: Figure, scores: pd.DataFrame, models: list[str], studies: int) -> None:
    counts = scores.groupby(["study", "cell", "length", "hidden", "layers"])["seed"].nunique()
    least, most = counts.min(), counts.max()
    seeds = f"{least} seeds" if least == most else f"{least} to {most} seeds"
    write_below(
        figure,
        f"{studies} studies · {seeds} per cell and condition. Scores are normalised so that 0 is a "
        "guess (the best constant prediction) and 1 a perfect result, and are cut off there. Bars: "
        "95 % percentile interval of the interquartile mean, from a stratified bootstrap over "
        "seeds; it speaks of other seeds, not of other tasks, and is too narrow for few seeds.",
        "Probability of improvement: equal scores count one half. Bold: its 95 % bootstrap "
        "interval does not hold 0.5; not corrected for the number of pairs.",
        "Published by others: at the learning rate with the least mean validation error, with "
        "CogScale's protocol, against the chance level measured here."
        if models
        else "",
    )
