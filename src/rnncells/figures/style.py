"""What all figures share: the cells' colours and markers, fonts, panels, legend, footnote.

A cell has the same colour and marker in every figure.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from zlib import crc32

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.columns import CONFIGURATION

Look = tuple[str, str | tuple]
Table = TypeVar("Table", pd.DataFrame, pd.Series)

#: Colour and marker of each cell, in the order of the legends.
LOOKS: dict[str, Look] = {
    "LSTM": ("#0072B2", "o"),
    "GRU": ("#009E73", "s"),
    "BRC": ("#E69F00", "^"),
    "nBRC": ("#D55E00", "D"),
    "UGRNN": ("#56B4E9", "v"),
    "AntisymmetricRNN": ("#CC79A7", "<"),
    "sRNN": ("#6E6E6E", ">"),
    "TRNN": ("#000000", "p"),
    "MTRNN": ("#7A4B1E", "h"),
    "ESN": ("#999933", "P"),
    "PC-RNN-V": ("#332288", "X"),
    "PC-RNN-GC": ("#882255", "d"),
    "PC-RNN-HC-A": ("#117733", "*"),
    "PC-RNN-HC-M": ("#AA4499", "H"),
    "PC-RNN-GC-HC-A": ("#44AA99", (4, 1, 0)),
    "PC-RNN-GC-HC-M": ("#CC6677", (4, 1, 45)),
}
#: Markers of the cells that users add: none of those above, so that they cannot be confused.
_OTHER_MARKERS = ((3, 1, 0), (6, 1, 0), (9, 1, 0), (3, 1, 180))

_DARK = "0.15"  # a grey that is nearly black: texts and axes
GREY, LIGHT, BLUE, RED = "#555555", "#BDBDBD", "#0072B2", "#D55E00"
WIDTH, COLUMN = 7.0, 3.5  # inches: the text of a page, and one of two columns on it
SMALL = 7.0  # points: the smallest font
SETTINGS = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.width": 0.8,
    "ytick.minor.width": 0.8,
    "xtick.minor.size": 3.2,
    "ytick.minor.size": 3.2,
    "text.color": _DARK,
    "axes.labelcolor": _DARK,
    "axes.edgecolor": _DARK,
    "xtick.color": _DARK,
    "ytick.color": _DARK,
    "grid.color": "0.8",
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "round",
    "lines.markersize": 4,
    "lines.markeredgewidth": 0.4,
    "lines.markeredgecolor": "white",
    "patch.linewidth": 0.8,
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "pdf.fonttype": 42,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Return the context in which all figures are drawn, whatever a user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def cell_look(cell: str) -> Look:
    """Return colour and marker of ``cell``; those of an unknown cell follow from its name."""
    if cell in LOOKS:
        return LOOKS[cell]
    number = crc32(cell.encode())
    colours = mpl.color_sequences["petroff10"]  # told apart by colour-blind readers too
    marker = _OTHER_MARKERS[number // len(colours) % len(_OTHER_MARKERS)]
    return to_hex(colours[number % len(colours)]), marker


def marker_style(cell: str, size: float = 4.0) -> dict:
    """Return keywords of ``plot`` for a cell's markers; those of little area are enlarged."""
    colour, marker = cell_look(cell)
    thin = isinstance(marker, tuple) or marker == "*"
    return {"color": colour, "marker": marker, "markersize": size * (1.7 if thin else 1)}


def cell_order(cells: Iterable[str]) -> list[str]:
    """Return the distinct cells, the known ones first, in the order of the legends."""
    known = list(LOOKS)
    return sorted(set(cells), key=lambda c: (known.index(c) if c in LOOKS else len(known), c))


def panels(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels with the same y axis, as wide as a column of text if one will do."""
    width = WIDTH if columns > 1 else COLUMN
    figure = Figure(figsize=(width, 1.75 * rows + 0.6), layout="constrained")
    return figure, figure.subplots(rows, columns, sharey=True, squeeze=False)


def draw_line(
    ax: Axes, cell: str, x: pd.Series, y: pd.Series, phase: float, dashes: str = "-"
) -> None:
    """Draw a cell's line with a few markers, which ``phase`` (0 to 1) offsets between cells."""
    finite = np.isfinite(np.asarray(y, float))
    few = finite.sum() < 8
    ax.plot(
        np.asarray(x)[finite],
        np.asarray(y)[finite],
        dashes,
        **marker_style(cell),
        markevery=None if few else (0.03 + 0.17 * phase, 0.17),
        label=cell,
    )


def draw_seeds(ax: Axes, cell: str, seeds: pd.DataFrame) -> None:
    """Draw a thin line per column of a table, against its index; a gap at the end ends the line."""
    for seed in seeds:
        line = seeds[seed].dropna()
        ax.plot(line.index, line, color=cell_look(cell)[0], linewidth=0.5, alpha=0.55, zorder=1.8)


def thinned(table: Table, rows: int = 600) -> Table:
    """Keep evenly spaced rows, the first and the last among them."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, rows).astype(int))]


def size_label(hidden: int, layers: int, size_is: str) -> str:
    """Say how large a network is; the size is one in ``units``, or in ``parameters``."""
    depth = f"{layers} layer{'s' if layers > 1 else ''}"
    return f"{depth} of {hidden} units" if size_is == "units" else f"{depth}, {hidden:,} {size_is}"


def label_right(ax: Axes, y: float, label: str) -> None:
    """Write beside the right end of a horizontal line."""
    ax.annotate(
        label,
        (1, y),
        (3, 0),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=GREY,
    )


def add_legend(figure: Figure, cells: list[str], extra: Iterable[Line2D] = ()) -> None:
    """Put the cells, and what else there is to explain, above the panels."""
    handles = []
    for cell in cells:
        handles.append(Line2D([], [], **marker_style(cell), label=cell))
    handles += extra
    longest = max(len(handle.get_label()) for handle in handles)
    columns = min(len(handles), int(figure.get_figwidth() / (0.42 + 0.064 * longest)))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def add_footnote(figure: Figure, protocol: Mapping, *notes: str) -> None:
    """Write the protocol and the notes below the panels; to be called once, last."""
    budget = "Published protocol." if protocol["published"] else ""
    if protocol["reduced"]:
        budget = f"Reduced budget: {'; '.join(protocol['reduced'])}."
    seeds = f"{protocol['seeds']} seed{'s' if protocol['seeds'] != 1 else ''}"
    study, task = protocol["study"], protocol["task"]
    names = study if study.replace("-", "_") == task else f"{study} · {task}"
    head = f"{names} · {seeds} · {protocol['source']}. {budget}".rstrip()
    write_below(figure, head, " ".join(filter(None, notes)))


def write_below(figure: Figure, *texts: str) -> None:
    """Write texts below the panels, each on lines of its own; to be called once, last."""
    width = int(figure.get_figwidth() * 72 / (0.515 * SMALL))
    lines = [line for text in filter(None, texts) for line in textwrap.wrap(text, width)]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=SMALL, color=GREY)
    # The panels keep their size, however long the footnote.
    figure.set_figheight(figure.get_figheight() + len(lines) * 1.2 * SMALL / 72)


def synthetic_note(protocol: Mapping) -> str:
    """Return the note on synthetic data."""
    return "The trajectories are synthetic." if protocol["synthetic"] else ""


def empty_figure(protocol: Mapping | None, why: str = "") -> Figure:
    """Return a figure that only says why it is empty."""
    figure, axes = panels(1, 1)
    axes[0, 0].axis("off")
    axes[0, 0].text(0.5, 0.5, why or "no results yet", ha="center", va="center")
    if protocol is not None:
        add_footnote(figure, protocol)
    return figure


def diverged_runs(metrics: pd.DataFrame) -> set[tuple]:
    """Return the runs (configuration and seed) with a result that is not a finite number."""
    bad = metrics[(metrics["metric"] != "train_loss") & ~np.isfinite(metrics["value"])]
    return set(bad[[*CONFIGURATION, "seed"]].itertuples(index=False, name=None))


def divergence_note(count: int, consequence: str = "", what: str = "runs") -> str:
    """Say how many diverged; nothing if none did."""
    if not count:
        return ""
    what = what.removesuffix("s") if count == 1 else what
    return f"{count} {what} diverged" + (f", {consequence}." if consequence else ".")


def dot_rows(ax: Axes, summary: pd.DataFrame, seeds: pd.DataFrame, cells: list[str]) -> None:
    """Draw a row per cell, the first one on top: every seed, their mean, and its interval.

    Args:
        ax: the panel.
        summary: a row per cell with the columns cell, mean, low, high.
        seeds: a row per cell and seed with the columns cell and value.
        cells: the cells of all panels, in the order of their rows.
    """
    for y, cell in enumerate(cells):
        colour = cell_look(cell)[0]
        values = seeds.loc[seeds["cell"] == cell, "value"]
        # Marks on the edge of the panel, of a count of 0 say, are seen as a whole.
        look = {"color": colour, "alpha": 0.6, "mew": 0, "ms": 4, "clip_on": False}
        ax.plot(values, np.full(len(values), y + 0.3), ".", **look)
        for row in summary[summary["cell"] == cell].itertuples():
            ax.hlines(y, row.low, row.high, color=colour, linewidth=1.4)
            marker = marker_style(cell, 4.5) | {"linestyle": "", "clip_on": False}
            ax.plot(row.mean, y, **marker, label=cell)
    ax.set_yticks(range(len(cells)), cells)
    for tick, cell in zip(ax.get_yticklabels(), cells, strict=True):
        tick.set_color(cell_look(cell)[0])
    ax.tick_params(axis="y", length=0, pad=6)
    ax.set_ylim(len(cells) - 0.4, -0.6)
    ax.grid(axis="x", linewidth=0.4)
