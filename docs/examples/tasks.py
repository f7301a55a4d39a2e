"""Draw an example of every task for docs/tasks.md: what goes in, and what has to come out.

The examples are the tasks' own data. A step whose output does not count is hatched.

python docs/examples/tasks.py [folder]
"""

import sys
from pathlib import Path
from typing import get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnncells.figures.style import BLUE, GREY, RED, figure_style
from rnncells.study.models import RunSpec
from rnncells.tasks.cogscale import CogScale, Problem
from rnncells.tasks.sequential_digits import Images
from rnncells.tasks.trajectories import synthetic
from rnncells.training.loop import assemble

FOLDER = Path(__file__).parents[1] / "images/tasks"
#: Steps to look at where a task has many more.
SHOWN = 150


def made(task: str, length: int, data: np.ndarray | None = None, **training):
    """Return a task with its data."""
    spec = RunSpec(
        task=task, cell="GRU", length=length, hidden_size=2, training=training, device="cpu"
    )
    return assemble(spec, [0], [{"lr": 0.01}], data)[0]


def canvas(height: float = 1.15) -> tuple[Figure, Axes, Axes]:
    """Make a figure with the input above the target, time from left to right."""
    figure = Figure(figsize=(6.0, height), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for ax, name in ((above, "input"), (below, "target")):
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        ax.set(xticks=[], yticks=[])
    below.set_xlabel("time →", loc="right", labelpad=1)
    return figure, above, below


def strip(ax: Axes, values: np.ndarray, colour: str, counts: np.ndarray | None = None) -> None:
    """Draw ``(T, channels)``: lines of numbers, or a row per symbol, filled where it is 1."""
    steps, channels = values.shape
    counts = np.ones(steps, bool) if counts is None else counts
    if not np.isin(values, (0, 1)).all():
        shown = np.where(counts[:, None], values, np.nan)
        marks = "o" if counts.sum() < 40 else ""
        ax.plot(shown, color=colour, marker=marks, markersize=3, linewidth=1.0, clip_on=False)
        ax.margins(y=0.15)
    else:
        for t, c in zip(*np.nonzero(values * counts[:, None]), strict=True):
            ax.fill_between([t - 0.5, t + 0.5], c - 0.5, c + 0.5, color=colour, linewidth=0)
        ax.set_ylim(channels - 0.4, -0.6)
    for t in np.flatnonzero(~counts):
        ax.axvspan(t - 0.5, t + 0.5, facecolor="0.93", linewidth=0, zorder=0)
    ax.set_xlim(-0.5, steps - 0.5)


def draw(x: np.ndarray, target: np.ndarray, counts: np.ndarray, height: float = 1.15) -> Figure:
    """Draw one sequence: inputs and targets ``(T, channels)``, and which steps count."""
    figure, above, below = canvas(height)
    strip(above, x, BLUE)
    strip(below, target, RED, counts)
    return figure


def at_the_end(values: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return targets with ``values`` at the last step, the only one that counts."""
    target = np.zeros((steps, len(values)))
    target[-1] = values
    return target, np.arange(steps) == steps - 1


def problem(name: str) -> Figure:
    """Draw one of CogScale's problems, small."""
    settings = {"problem": name, "difficulty": "small"}
    task = made("cogscale", CogScale.own_lengths(CogScale.Settings(**settings))[0], **settings)
    x, target, counts = (part[0, 0].numpy() for part in task.parts["train"])
    if task.last:
        target, counts = at_the_end(target, len(x))
    channels = x.shape[1] + target.shape[1]
    return draw(x[:SHOWN], target[:SHOWN], counts[:SHOWN], 1.0 + 0.045 * channels)


def copy_first_input() -> Figure:
    """Draw the numbers, and the first one at the end."""
    x = made("copy_first_input", 30, train_sequences=1, test_sequences=1).train[0, 0].numpy()
    figure = draw(x[:, None], *at_the_end(x[:1], len(x)))
    first, last = figure.axes
    for ax, t in ((first, 0), (last, len(x) - 1)):
        ax.plot(t, x[0], "o", color=RED, clip_on=False)
        ax.axhline(0, color=GREY, linewidth=0.5, zorder=0)
        ax.set_ylim(*np.array([-1.1, 1.1]) * np.abs(x).max())
    return figure


def binary_addition() -> Figure:
    """Draw the bits of two numbers and of their sum, the least significant ones first."""
    task = made("binary_addition", 20, test_samples=1, test_length=20)
    batch = task.test(20)
    x, target = batch.x[0, :, 0].numpy(), batch.target[0, :, 0].numpy()
    figure, above, below = canvas(1.0)
    for ax, values, colour in ((above, x, BLUE), (below, target, RED)):
        strip(ax, values, colour)
        for (t, c), bit in np.ndenumerate(values):
            shade = "white" if bit else GREY
            ax.text(t, c, f"{bit:.0f}", ha="center", va="center_baseline", fontsize=7, color=shade)
    below.set_xlabel("time →   (the least significant bit first)", loc="right", labelpad=1)
    return figure


def trajectory_generation() -> Figure:
    """Draw two trajectories, in the plane and over time."""
    data = synthetic(2, 1200, 4)[:, ::20]
    figure = Figure(figsize=(6.0, 1.6), layout="constrained")
    plane, time = figure.subplots(1, 2, width_ratios=[1, 2.4])
    for trajectory, shade in zip(data, (BLUE, RED), strict=True):
        plane.plot(*trajectory.T, color=shade, linewidth=0.9)
        time.plot(trajectory[:, 0], color=shade)
        time.plot(trajectory[:, 1], "--", color=shade, linewidth=0.9)
    plane.set(xticks=[], yticks=[], aspect="equal", xlabel="x", ylabel="y")
    time.set(xticks=[0, 59], xlabel="step", yticks=[], ylabel="x (solid), y (dashed)")
    time.tick_params(length=2)
    return figure


def denoising() -> Figure:
    """Draw the numbers, of which five are marked, and what is to be recalled after the last."""
    task = made("denoising", 40, gap=10, train_sequences=2, validation_sequences=1,
                test_sequences=1)  # fmt: skip
    x, target = task.parts["test"][0][0, 0].numpy(), task.parts["test"][1][0, 0].numpy()
    figure, above, below = canvas(1.3)
    t = np.arange(len(x))
    marked = x[:, 1] == 0
    above.vlines(t, 0, x[:, 0], color="0.75", linewidth=1.2)
    above.vlines(t[marked], 0, x[marked, 0], color=RED, linewidth=1.8)
    above.plot(t[marked], x[marked, 0], "o", color=RED)
    above.plot(t[-1], 0, "s", color=BLUE)
    above.annotate("recall", (t[-1], 0), (-4, 7), textcoords="offset points", ha="center", size=7)
    strip(below, np.zeros((len(x), 1)), RED, t == t[-1])
    return _recalled(figure, below, target, len(x))


def _recalled(figure: Figure, ax: Axes, target: np.ndarray, steps: int) -> Figure:
    """Write the recalled numbers at the last step."""
    text = "(" + ", ".join(f"{value:.1f}" for value in target) + ")"
    ax.set(ylim=(-1, 1))
    ax.text(
        steps - 2,
        0,
        text.replace("-", "\N{MINUS SIGN}"),
        ha="right",
        va="center",
        color=RED,
        fontsize=8,
    )
    return figure


def sequential_digits() -> Figure:
    """Draw an image, its pixels one after the other, and the class after the last."""
    task = made("sequential_digits", 64, Images().make())
    x, target, _ = (part[0, 3].numpy() for part in task.parts["test"])
    figure = Figure(figsize=(6.0, 1.2), layout="constrained")
    axes = figure.subplot_mosaic([["image", "input"], ["image", "target"]], width_ratios=[1, 6])
    axes["image"].imshow(x.reshape(8, 8), cmap="Greys")
    axes["image"].set(xticks=[], yticks=[])
    strip(axes["input"], x, BLUE)
    counts = np.arange(64) == 63
    strip(axes["target"], np.zeros((64, 1)), RED, counts)
    answer = f"“{target.argmax()}”"
    axes["target"].text(62, 0, answer, ha="right", va="center", color=RED, fontsize=9)
    for name in ("input", "target"):
        axes[name].set_ylabel(name, rotation=0, ha="right", va="center")
        axes[name].set(xticks=[], yticks=[])
    axes["target"].set_xlabel("time →", loc="right", labelpad=1)
    return figure


EXAMPLES = {
    function.__name__: function
    for function in (
        copy_first_input,
        binary_addition,
        trajectory_generation,
        denoising,
        sequential_digits,
    )
} | {name: lambda name=name: problem(name) for name in get_args(Problem)}


def main(folder: Path) -> None:
    """Draw all examples."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, example in EXAMPLES.items():
        with figure_style():
            example().savefig(folder / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
