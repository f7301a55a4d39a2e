"""Every cell on every study at a glance."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .style import GREY, SMALL, WIDTH, empty_figure, figure_style, marker_style


@figure_style()
def draw(
    scores: pd.DataFrame, ranking: pd.DataFrame, references: Mapping[str, Mapping[str, float]]
) -> Figure:
    """All cells on all studies, from 0, chance level, to 1, perfect.

    A row per cell, the best on top; a column per study. A number is the mean over a study's seeds
    and configurations, empty where the cell is not in the study. Right: the interquartile mean over
    all studies, with the 95 % interval of a stratified bootstrap over seeds; cells that are in
    fewer studies come last. Below the line: other models with the same budgets of parameters, as
    published, not trained here. Intervals of few seeds are too narrow; overview.csv, beside the
    figure, has every run.
    """
    if scores.empty:
        return empty_figure(None)
    studies = list(dict.fromkeys(scores["study"]))
    cells = list(ranking["cell"])
    means = scores.pivot_table(index="cell", columns="study", values="score", aggfunc="mean")
    values = means.reindex(index=cells, columns=studies).to_numpy(float)
    models = list(references)
    others = np.array([[references[m].get(s, np.nan) for s in studies] for m in models])
    values = np.vstack([values, others.reshape(-1, len(studies))])
    rows = [*cells, *(f"{model} (published)" for model in models)]
    figure = Figure(figsize=(WIDTH, 0.21 * len(rows) + 1.9), layout="constrained")
    grid, means_ax = figure.subplots(1, 2, sharey=True, width_ratios=[3.4, 1])
    grid.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    size = SMALL if len(studies) <= 14 else 5.5
    for (y, x), value in np.ndenumerate(values):
        if np.isfinite(value):
            shade = "white" if value < 0.6 else "black"
            grid.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=size, color=shade)
    grid.set_xticks(range(len(studies)), studies, rotation=60, ha="right", rotation_mode="anchor")
    grid.set_yticks(range(len(rows)), rows)
    grid.tick_params(length=0)
    for y, row in enumerate(ranking.itertuples()):
        style = marker_style(row.cell, 5)
        means_ax.hlines(y, row.low, row.high, color=style["color"], linewidth=1.4)
        means_ax.plot(row.iqm, y, **style, linestyle="")
    for ax in (grid, means_ax):
        if models:
            ax.axhline(len(cells) - 0.5, color=GREY, linewidth=1.0)
    means_ax.set(xlim=(-0.03, 1.03), xlabel="Interquartile mean")
    means_ax.tick_params(axis="y", labelleft=False, length=0)
    means_ax.grid(axis="x", linewidth=0.4)
    return figure
