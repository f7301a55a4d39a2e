"""The figures: tables in, one matplotlib figure out.

A cell has the same colour and marker in every figure. Each figure of a study says below its panels
under which protocol it was made, and whether the budget was smaller than the published one.
"""

import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations, pairwise, product
from pathlib import Path
from zlib import crc32

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from ..jobs.files import write_bytes
from ..results.provenance import source
from ..results.statistics import CONFIGURATION

Look = tuple[str, str | tuple]

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

_DARK = "0.15"  # a grey that is nearly black: texts and axes
_GREY, _LIGHT, _BLUE, _RED = "#555555", "#BDBDBD", "#0072B2", "#D55E00"
_WIDTH = 7.0  # inches: the text width of a page
_SMALL = 7.0  # points: the smallest font
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": _SMALL,
    "ytick.labelsize": _SMALL,
    "legend.fontsize": _SMALL,
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
def style() -> Iterator[None]:
    """Return the context in which all figures are drawn, whatever a user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def cell_look(cell: str) -> Look:
    """Return colour and marker of ``cell``; those of an unknown cell follow from its name."""
    if cell in LOOKS:
        return LOOKS[cell]
    import seaborn as sns  # takes longer than drawing; most figures do without it

    number = crc32(cell.encode())
    hues = sns.husl_palette(12, l=0.5).as_hex()
    return hues[number % 12], _OTHER_MARKERS[number // 12 % len(_OTHER_MARKERS)]


def _marks(cell: str, size: float = 4.0) -> dict:
    """Return what ``plot`` needs to draw a cell's markers; those of little area are enlarged."""
    colour, marker = cell_look(cell)
    thin = isinstance(marker, tuple) or marker == "*"
    return {"color": colour, "marker": marker, "markersize": size * (1.7 if thin else 1)}


def cell_order(cells: Iterable[str]) -> list[str]:
    """Return the distinct cells, the known ones first, in the order of the legends."""
    known = list(LOOKS)
    return sorted(set(cells), key=lambda c: (known.index(c) if c in LOOKS else len(known), c))


@style()
def save(figure: Figure, pdf: str | Path, png: str | Path) -> None:
    """Write a figure to both files; the same figure of the same source gives the same bytes."""
    origin = source()
    for path, options in (
        (pdf, {"format": "pdf", "metadata": {"CreationDate": None, "Subject": origin}}),
        (png, {"format": "png", "metadata": {"Software": None, "Source": origin}, "dpi": 200}),
    ):
        content = io.BytesIO()
        figure.savefig(content, **options)
        figure.set_layout_engine("none")  # arranged already, which takes as long as drawing
        write_bytes(path, content.getbuffer())


@style()
def training_loss(metrics: pd.DataFrame, protocol: Mapping) -> Figure:
    """Draw the training loss of copy-first-input: a panel per length, a row per network size.

    Each seed's loss is smoothed with a trailing moving average,
    which starts with a quarter of its window. A seed that reached the goal keeps
    its last value until the last seed of its cell has ended: training is over, the network stays
    as it is, and leaving the seed out would make the others' mean jump upwards. The line then
    ends. Seeds that diverged are left out, and counted in the footnote.
    """
    diverged = _diverged_runs(metrics)
    loss = metrics[metrics["metric"] == "train_loss"]
    if loss.empty:
        return _nothing(protocol, _divergence(len(diverged)))
    lengths = sorted(loss["length"].unique())
    sizes = sorted(set(zip(loss["hidden"], loss["layers"], strict=True)))
    figure, axes = _grid(len(sizes), len(lengths))
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
            smooth = smooth.ffill().dropna(how="all")
            if smooth.empty:
                continue
            smooth = _thinned(smooth)
            _line(ax, cell, smooth.index, smooth.mean(axis=1), k / len(cells))
            _band(ax, cell, smooth.index, smooth.min(axis=1), smooth.max(axis=1))
            top = max(top, smooth.mean(axis=1).max())
        goal = protocol["training"].get("stop_below")
        for level, dashes, label in ((goal, "--", f"goal {goal}"), (1.0, ":", "chance")):
            if level is None:
                continue
            ax.axhline(level, color=_GREY, linestyle=dashes, linewidth=0.9, zorder=1)
            if column == len(lengths) - 1:
                _right_of(ax, level, label)
        ax.set_title(f"Length {length}")
        ax.set_xlim(left=0)
        if row == len(sizes) - 1:
            ax.set_xlabel("Gradient step")
    axes[0, 0].set_ylim(0, min(top * 1.05, 1.6))
    for row, size in enumerate(sizes):
        axes[row, 0].set_ylabel(f"Training loss (MSE)\n{_size(*size)}")
    _legend(figure, cells)
    window = ", ".join(
        f"{window} steps (length {', '.join(dict.fromkeys(which))})"
        for window, which in windows.items()
    )
    _footnote(
        figure,
        protocol,
        f"Moving average over {window}. Line: mean over seeds; band: lowest to highest seed. A "
        "seed that reached the goal keeps its last value until the line ends.",
        _divergence(len(diverged), "left out"),
    )
    return figure


@style()
def accuracy(summary: pd.DataFrame, protocol: Mapping) -> Figure:
    """Draw the accuracy of binary addition by test length: columns layers, rows hidden sizes."""
    table = summary[summary["metric"] == "accuracy"]
    if table.empty:
        return _nothing(protocol)
    layers, hidden, trained = (sorted(table[c].unique()) for c in ("layers", "hidden", "length"))
    cells = cell_order(table["cell"])
    dashes = dict(zip(reversed(trained), ("-", "--", ":", "-.") * len(trained), strict=False))
    figure, axes = _grid(len(hidden), len(layers))
    for (row, size), (column, depth) in product(enumerate(hidden), enumerate(layers)):
        ax = axes[row, column]
        panel = table[(table["hidden"] == size) & (table["layers"] == depth)]
        for k, cell in enumerate(cells):
            for length, line in panel[panel["cell"] == cell].groupby("length"):
                line = line.sort_values("position")
                x, mean, sem = line["position"], line["mean"], line["sem"]
                _line(ax, cell, x, mean, k / len(cells), dashes[length])
                _band(ax, cell, x, mean - sem, mean + sem)
        ax.axvline(trained[-1], color=_GREY, linestyle=":", linewidth=0.9, zorder=1)
        ax.annotate(
            f"trained up to {trained[-1]}",
            (trained[-1], 1.02),
            (0, 1),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=_SMALL,
            color=_GREY,
        )
        ax.set_title(_size(size, depth).capitalize(), pad=12)
        ax.set_ylim(0, 1.02)
        if row == len(hidden) - 1:
            ax.set_xlabel("Sequence length (digits)")
        if column == 0:
            ax.set_ylabel("Accuracy (share of samples\nwith every bit right)")
    key = [Line2D([], [], color=_GREY, ls=dashes[n], label=f"trained up to {n}") for n in trained]
    _legend(figure, cells, key if len(key) > 1 else ())
    _footnote(
        figure,
        protocol,
        "Sequence length: digits of both operands together. Line: mean over seeds; band: standard "
        "error of the mean.",
        _divergence(table.drop_duplicates(CONFIGURATION)["diverged"].sum()),
    )
    return figure


@style()
def capacity(summary: pd.DataFrame, runs: pd.DataFrame, protocol: Mapping) -> Figure:
    """Draw the sequences learned: by model size on the left, ranked at the largest on the right.

    The number of sequences is on a logarithmic axis above 10. The sizes are evenly spaced, and
    cells that were given sizes of another order of magnitude (an echo state network's reservoir)
    have a panel of their own.
    """
    table = summary[summary["metric"] == "sequences"]
    if table.empty:
        return _nothing(protocol)
    rows = sorted(set(zip(table["length"], table["layers"], strict=True)))
    clusters = _clusters(sorted(table["hidden"].unique()))
    cells = cell_order(table["cell"])
    figure = Figure(
        figsize=(_WIDTH, len(rows) * max(2.4, 1.1 + 0.2 * len(cells)) + 0.1), layout="constrained"
    )
    crowd = [table[table["hidden"].isin(cluster)]["cell"].nunique() for cluster in clusters]
    widths = [len(c) * (0.38 + 0.06 * n) + 0.2 for c, n in zip(clusters, crowd, strict=True)]
    grid = figure.add_gridspec(
        len(rows), len(clusters) + 1, width_ratios=[*widths, max(2, 0.6 * sum(widths))]
    )
    seeds = _sequences_of(runs)
    for row, (length, layers) in enumerate(rows):
        here = table[(table["length"] == length) & (table["layers"] == layers)]
        left = None
        for column, cluster in enumerate(clusters):
            ax = left = figure.add_subplot(grid[row, column], sharey=left)
            _by_size(ax, here, cluster, cells)
            if column == 0:
                which = f"\nlength {length}, layers: {layers}" if len(rows) > 1 else ""
                ax.set_ylabel(f"Sequences learned\n(logarithmic above 10){which}")
            else:
                ax.tick_params(labelleft=False)
            ax.set_yscale("symlog", linthresh=10, linscale=0.7)
            ticks = [0, 2, 5, 10, 20, 50, 100, 200, 500]
            ax.set_yticks(ticks, ticks)
            ax.yaxis.set_minor_locator(NullLocator())
            ax.set_ylim(0, max(10, 1.15 * here[["mean", "high"]].max().max()))
            ax.set_xlabel("Hidden units")
        there = seeds[(seeds["length"] == length) & (seeds["layers"] == layers)]
        _ranking(figure.add_subplot(grid[row, -1]), here, there)
    _footnote(
        figure,
        protocol,
        "Marker: mean over seeds; bar: bootstrap 95 % interval of the mean. Right: number, the "
        "mean; small dots, single seeds; grey tick, the number of sequences given to learn.",
        _divergence(runs["diverged"].sum(), "counted with no sequence learned"),
    )
    return figure


def _by_size(ax: Axes, table: pd.DataFrame, sizes: list[int], cells: list[str]) -> None:
    """Draw a line per cell over evenly spaced sizes, the cells beside each other."""
    table = table[table["hidden"].isin(sizes)]
    shown = [cell for cell in cells if (table["cell"] == cell).any()]
    for k, cell in enumerate(shown):
        line = table[table["cell"] == cell].sort_values("hidden")
        shift = 0.8 * ((k + 0.5) / len(shown) - 0.5)
        x = np.array([sizes.index(size) for size in line["hidden"]]) + shift
        ax.plot(x, line["mean"], **_marks(cell), linewidth=0.7, label=cell)
        ax.vlines(x, line["low"], line["high"], color=cell_look(cell)[0], linewidth=1.2, zorder=1)
    ax.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    for x in range(0, len(sizes), 2):
        ax.axvspan(x - 0.5, x + 0.5, color="#F2F2F2", zorder=0, linewidth=0)


def _ranking(ax: Axes, table: pd.DataFrame, seeds: pd.DataFrame) -> None:
    """Draw the cells from best to worst, each at its largest size, with every seed."""
    best = table.loc[table.groupby("cell")["hidden"].idxmax()].sort_values("mean")
    usual = best["hidden"].mode().min()
    labels = []
    for y, row in enumerate(best.itertuples()):
        colour = cell_look(row.cell)[0]
        own = seeds[(seeds["cell"] == row.cell) & (seeds["hidden"] == row.hidden)]
        ax.plot(own["given"], [y] * len(own), "|", color=_LIGHT, markersize=8, mec=_LIGHT, mew=1)
        below = [y - 0.3] * len(own)
        ax.plot(own["sequences"], below, ".", color=colour, alpha=0.5, mew=0)
        ax.hlines(y, row.low, row.high, color=colour, linewidth=1.4)
        ax.plot(row.mean, y, **_marks(row.cell, 5.5), label=row.cell)
        ax.annotate(
            "-" if np.isnan(row.mean) else f"{row.mean:.1f}",
            (1.02, y),
            xycoords=ax.get_yaxis_transform(),
            va="center",
            fontsize=_SMALL,
        )
        labels.append(row.cell + (f" ({row.hidden:g})" if row.hidden != usual else ""))
    ax.set_yticks(range(len(best)), labels)
    for tick, cell in zip(ax.get_yticklabels(), best["cell"], strict=True):
        tick.set_color(cell_look(cell)[0])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.7, len(best) - 0.4)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(axis="x", linewidth=0.4)
    ax.set_title(f"Ranking at {usual:g} hidden units")
    ax.set_xlabel("Sequences learned")


def _sequences_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with the sequences given (p, rounded) and learned, (score + p) / 2."""
    given = runs["p"].round() if "p" in runs else pd.Series(np.nan, runs.index)
    return runs.assign(given=given, sequences=(runs["score"] + given) / 2)


@style()
def trajectories(examples: pd.DataFrame, metrics: pd.DataFrame, protocol: Mapping) -> Figure:
    """Draw what each cell generates at its largest size, first seed, over the targets."""
    if examples.empty:
        return _nothing(protocol)
    threshold = protocol["training"]["threshold"]
    errors = metrics[metrics["metric"] == "sequence_error"]
    errors = errors.set_index([*CONFIGURATION, "seed", "position"])["value"]
    blocks = []
    for (cell, *_), group in examples.groupby(["cell", "length", "layers"]):
        group = group[group["hidden"] == group["hidden"].max()]
        blocks.append((cell, group[group["seed"] == group["seed"].min()]))
    order = cell_order(examples["cell"])
    blocks.sort(key=lambda block: order.index(block[0]))
    several = len(examples[["length", "layers"]].drop_duplicates()) > 1
    columns = 1 if len(blocks) == 1 else 2
    rows = -(-len(blocks) // columns)
    figure = Figure(
        figsize=(_WIDTH, rows * (1.15 if columns == 2 else 2.2) + 0.3), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
        ax.set(aspect="equal", xlim=(-_BOX, 7 * _BOX), ylim=(-_BOX - 0.65, _BOX))
    for ax, (cell, group) in zip(axes.flat, blocks, strict=False):
        length, hidden, layers = group[CONFIGURATION[1:]].iloc[0]
        detail = f", length {length}, layers: {layers}" if several else ""
        ax.set_title(
            f"{cell} ({hidden} units{detail})", loc="left", pad=4, color=cell_look(cell)[0]
        )
        for k, (sample, rows_of_sample) in enumerate(list(group.groupby("sample"))[:4]):
            key = (cell, length, hidden, layers, group["seed"].iloc[0], sample)
            _trajectory(ax, 2 * _BOX * k, rows_of_sample, errors.get(key, np.nan), threshold)
    _scale(axes[0, 0], threshold)
    handles = [
        Line2D([], [], color=_LIGHT, linewidth=2.5, label="target"),
        Line2D([], [], color="black", label="generated by the network (colour of the cell)"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    _footnote(
        figure,
        protocol,
        f"First sequences of the first seed. Number: mean Euclidean error over the steps; ✓ "
        f"learned (below {threshold}), ✗ not learned. Generated lines are cut at their frame. "
        "Coordinates have arbitrary units.",
        _divergence(len(_diverged_runs(metrics))),
    )
    return figure


_BOX = 1.45  # half the width of the square that a trajectory is drawn in


def _trajectory(ax: Axes, shift: float, rows: pd.DataFrame, error: float, threshold: float) -> None:
    """Draw one sample, moved to the right by ``shift``."""
    x, y = (rows[rows["coordinate"] == k].sort_values("step") for k in (0, 1))
    colour = cell_look(rows["cell"].iloc[0])[0]
    ax.plot(x["target"] + shift, y["target"].to_numpy(), color=_LIGHT, linewidth=2)
    (line,) = ax.plot(
        x["prediction"] + shift, y["prediction"].to_numpy(), color=colour, linewidth=0.9
    )
    frame = Rectangle((shift - _BOX, -_BOX), 2 * _BOX, 2 * _BOX, transform=ax.transData)
    line.set_clip_path(frame)
    mark = "diverged" if np.isnan(error) else f"{'✓' if error < threshold else '✗'} {error:.3g}"
    ax.text(shift, -_BOX - 0.1, mark, ha="center", va="top", fontsize=_SMALL)


def _scale(ax: Axes, threshold: float) -> None:
    """Draw two lengths above the frame's right end: one half, and the threshold."""
    above = ScaledTranslation(0, 6 / 72, ax.figure.dpi_scale_trans)
    bars = ((4.7 * _BOX, 0.5, "0.5"), (7 * _BOX, threshold, f"threshold {threshold}"))
    for right, length, label in bars:
        ends = [right - length, right]
        place = {"transform": ax.transData + above, "clip_on": False}
        ax.plot(ends, [_BOX, _BOX], color="black", linewidth=1.5, **place)
        ax.text(ends[0] - 0.15, _BOX, label, ha="right", va="center", fontsize=_SMALL, **place)


@style()
def search(
    observations: pd.DataFrame, optimum: Mapping, surrogate: pd.DataFrame, protocol: Mapping
) -> Figure:
    """Draw one search: its convergence, and what its surrogate says of each (pair of) parameters.

    The matrix has a parameter per row and column: on its diagonal the partial dependence of the
    score on one parameter, below it on two. The convergence is drawn above the diagonal.
    """
    space, names = optimum["space"], list(optimum["space"])
    surrogate = surrogate.fillna({"y_name": ""})
    figure = Figure(figsize=(_WIDTH, 2.6 if len(names) == 1 else 1.65 * len(names) + 0.8))
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
    _footnote(
        figure,
        protocol,
        "Partial dependence: the surrogate's mean over the other parameters; band: one standard "
        "deviation. Dots: observed configurations. Red line and star: the optimum chosen.",
        _divergence((observations["diverged"] > 0).sum(), what="configurations"),
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
    return "\n".join(textwrap.fill(line, 118) for line in lines)


def _convergence(ax: Axes, observations: pd.DataFrame) -> None:
    """Draw the score of every configuration and the best so far."""
    table = observations.sort_values("configuration")
    x, diverged = table["configuration"], table["diverged"] > 0
    score = table["score"]
    ax.plot(x[~diverged], score[~diverged], ".", color=_GREY, alpha=0.6, mew=0, label="observed")
    if diverged.any():
        ax.plot(x[diverged], score[diverged], "x", mec=_GREY, mew=0.8, label="diverged")
    ax.step(x, score.cummax(), where="post", color=_BLUE, label="best so far")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1, ncols=3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="Configuration", ylabel="Score (higher is better)")


def _dependence(
    ax: Axes, table: pd.DataFrame, observations: pd.DataFrame, name: str, optimum: Mapping
) -> None:
    """Draw the score expected along one parameter."""
    table = table.sort_values("x")
    ax.plot(observations[name], observations["score"], ".", color=_GREY, alpha=0.3, mew=0)
    ax.fill_between(
        table["x"],
        table["mean"] - table["sd"],
        table["mean"] + table["sd"],
        color=_BLUE,
        alpha=0.25,
        linewidth=0,
    )
    ax.plot(table["x"], table["mean"], color=_BLUE)
    ax.axvline(optimum["values"][name], color=_RED, linewidth=1, clip_on=False)
    if name in optimum["on_bound"]:
        ax.set_title("on its bound", color=_RED, fontsize=_SMALL, pad=3)


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
        color=_RED,
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


@style()
def cost(table: pd.DataFrame) -> Figure:
    """Draw what the rules of each study cost: a table, and bars of their total time."""
    if table.empty:
        return _nothing(None)
    import seaborn as sns

    table = table.reset_index(drop=True)
    figure = Figure(figsize=(_WIDTH, 0.2 * len(table) + 0.9), layout="constrained")
    text, bars = figure.subplots(1, 2, sharey=True, width_ratios=[2.6, 1])
    text.axis("off")
    text.set(xlim=(0, 1), ylim=(len(table) - 0.4, -1.6))
    new_study = table["study"] != table["study"].shift()
    columns = (
        (0.0, "left", "Study", table["study"].where(new_study, "")),
        (0.31, "left", "Rule", table["rule"]),
        (0.49, "right", "Jobs", table["jobs"].map(_count)),
        (0.66, "right", "Median", table["seconds_median"].map(_duration)),
        (0.82, "right", "Longest", table["seconds_max"].map(_duration)),
        (1.0, "right", "Memory (MB)", table["memory_mb_max"].map(_count)),
    )
    for x, side, head, cells in columns:
        text.text(x, -1, head, ha=side, va="center", weight="bold", fontsize=_SMALL)
        for y, cell in enumerate(cells):
            text.text(x, y, cell, ha=side, va="center", fontsize=_SMALL)
    rules = list(dict.fromkeys(table["rule"]))
    palette = sns.color_palette("colorblind", len(rules))
    colours = [palette[rules.index(rule)] for rule in table["rule"]]
    unit, seconds = next(
        (u, s)
        for u, s in (("hours", 3600), ("minutes", 60), ("seconds", 1))
        if table["seconds_total"].max() >= 2 * s or s == 1
    )
    total = table["seconds_total"].fillna(0)
    bars.barh(table.index, total / seconds, color=colours, height=0.7)
    for y, value in enumerate(total):
        bars.annotate(
            _duration(value),
            (value / seconds, y),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=_SMALL,
        )
    bars.text(0, -1, "Total", va="center", weight="bold", fontsize=_SMALL)
    bars.set_xlim(0, max(total.max() / seconds, 1e-9) * 1.6)
    bars.set_xlabel(f"Total time ({unit} of all jobs)")
    bars.spines["left"].set_visible(False)
    bars.tick_params(axis="y", length=0, labelleft=False)
    for ax in (text, bars):
        for y in table.index[new_study]:
            ax.axhline(y - 0.5, color=_GREY, linewidth=0.5)
    return figure


def _duration(seconds: float) -> str:
    """Write a time in two of its units at most."""
    if not np.isfinite(seconds):
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def _count(number: float) -> str:
    return f"{number:,.0f}" if np.isfinite(number) else "-"


# What the figures share.


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels with the same y axis."""
    width = _WIDTH if columns > 1 else 4.5
    figure = Figure(figsize=(width, 2.1 * rows + 0.7), layout="constrained")
    return figure, figure.subplots(rows, columns, sharey=True, squeeze=False)


def _line(ax: Axes, cell: str, x: pd.Series, y: pd.Series, phase: float, dashes: str = "-") -> None:
    """Draw a cell's line with a few markers; ``phase`` sets them apart from other cells'."""
    finite = np.isfinite(np.asarray(y, float))
    few = finite.sum() < 8
    ax.plot(
        np.asarray(x)[finite],
        np.asarray(y)[finite],
        dashes,
        **_marks(cell),
        markevery=None if few else (0.03 + 0.17 * phase, 0.17),
        label=cell,
    )


def _band(ax: Axes, cell: str, x: pd.Series, low: pd.Series, high: pd.Series) -> None:
    ax.fill_between(x, low, high, color=cell_look(cell)[0], alpha=0.18, linewidth=0)


def _thinned(table: pd.DataFrame, rows: int = 600) -> pd.DataFrame:
    """Keep evenly spaced rows, the first and the last among them."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, rows).astype(int))]


def _clusters(sizes: list[int]) -> list[list[int]]:
    """Cut sorted sizes wherever the next is more than four times as large."""
    clusters = [sizes[:1]]
    for previous, size in pairwise(sizes):
        clusters[-1].append(size) if size <= 4 * previous else clusters.append([size])
    return clusters


def _diverged_runs(metrics: pd.DataFrame) -> set[tuple]:
    """Return the runs (configuration and seed) with a result that is not a finite number."""
    bad = metrics[(metrics["metric"] != "train_loss") & ~np.isfinite(metrics["value"])]
    return set(bad[[*CONFIGURATION, "seed"]].itertuples(index=False, name=None))


def _divergence(count: int, consequence: str = "", what: str = "runs") -> str:
    """Say how many diverged; nothing if none did."""
    if not count:
        return ""
    what = what.removesuffix("s") if count == 1 else what
    return f"{count} {what} diverged" + (f", {consequence}." if consequence else ".")


def _size(hidden: int, layers: int) -> str:
    return f"{layers} layer{'s' if layers > 1 else ''} of {hidden} units"


def _right_of(ax: Axes, y: float, label: str) -> None:
    """Write beside the right end of a horizontal line."""
    ax.annotate(
        label,
        (1, y),
        (3, 0),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=_SMALL,
        color=_GREY,
    )


def _legend(figure: Figure, cells: list[str], extra: Iterable[Line2D] = ()) -> None:
    """Put the cells, and what else there is to explain, above the panels."""
    handles = []
    for cell in cells:
        handles.append(Line2D([], [], **_marks(cell), label=cell))
    handles += extra
    columns = min(len(handles), int(figure.get_figwidth() / 1.15))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def _footnote(figure: Figure, protocol: Mapping, *notes: str) -> None:
    """Write the protocol and the notes below the panels; to be called once, last."""
    reduced = protocol["reduced"]
    budget = f"Reduced budget: {'; '.join(reduced)}." if reduced else "Published protocol."
    seeds = f"{protocol['seeds']} seed{'s' if protocol['seeds'] != 1 else ''}"
    study, task = protocol["study"], protocol["task"]
    names = study if study.replace("-", "_") == task else f"{study} · {task}"
    head = f"{names} · {seeds} · {protocol['source']}. {budget}"
    width = int(figure.get_figwidth() * 72 / (0.515 * _SMALL))
    texts = filter(None, (head, " ".join(filter(None, notes))))
    lines = [line for text in texts for line in textwrap.wrap(text, width)]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=_SMALL, color=_GREY)
    # The panels keep their size, however long the footnote.
    figure.set_figheight(figure.get_figheight() + len(lines) * 1.2 * _SMALL / 72)


def _nothing(protocol: Mapping | None, why: str = "") -> Figure:
    """Draw that there is nothing to draw."""
    figure, axes = _grid(1, 1)
    axes[0, 0].axis("off")
    axes[0, 0].text(0.5, 0.5, why or "no results yet", ha="center", va="center")
    if protocol is not None:
        _footnote(figure, protocol)
    return figure
