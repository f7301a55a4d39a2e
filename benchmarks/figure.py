"""The figure for the README: how many times faster than the library one would use instead."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from rnncells.figures.style import figure_style

#: Colours of the libraries, and how they are called.
LIBRARIES = {
    "torch.nn": ("PyTorch's own", "#0072B2"),
    "brc_pytorch": ("brc-pytorch", "#D55E00"),
    "torchrecurrent": ("torchrecurrent", "#CC79A7"),
}


@figure_style()
def draw(table: pd.DataFrame) -> Figure:
    """Draw a bar for every case that another library has, the largest on top."""
    rows = table[table["peer"].isin(LIBRARIES)].sort_values("ratio")
    figure = Figure(figsize=(6.0, 0.6 + 0.26 * len(rows)), layout="constrained")
    ax = figure.subplots()
    for place, (_, row) in enumerate(rows.iterrows()):
        name, colour = LIBRARIES[row["peer"]]
        ax.barh(place, row["ratio"], color=colour, height=0.7, label=name)
        ax.annotate(
            f"{row['ratio']:.2g}x",
            (row["ratio"], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.set_yticks(range(len(rows)), rows["case"])
    ax.tick_params("y", length=0)
    ax.set_xlim(0, 1.12 * rows["ratio"].max() if len(rows) else 1)
    ax.axvline(1, color="#555555", lw=0.8)
    ax.set_xlabel("training steps: times faster than")
    handles, names = ax.get_legend_handles_labels()
    once = dict(zip(names, handles, strict=True))
    ax.legend(once.values(), once.keys(), loc="lower right")
    return figure


@figure_style()
def save(figure: Figure, png: Path) -> None:
    """Write the figure."""
    png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(png, dpi=200, metadata={"Software": None})
