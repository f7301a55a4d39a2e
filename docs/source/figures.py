"""The figures of the cells' pages: one behaviour per family, computed by the cells themselves.

Every function draws one figure; the pages name them. Weights are random or set by hand: nothing
here is trained.
"""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import rnncells
from rnncells.cells.base import Cell
from rnncells.figures.style import cell_look, figure_style

#: A sequence of colours, dark to light, for values of one quantity.
_SHADES = plt.get_cmap("cividis")
_GREY = "#6E6E6E"


def _shades(number: int) -> list:
    return [_SHADES(x) for x in np.linspace(0.0, 0.85, number)]


def _panels(number: int, **keywords) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(
        1, number, figsize=(7.0, 2.6), layout="constrained", squeeze=False, **keywords
    )
    return figure, list(axes[0])


def _still(cell: Cell) -> Cell:
    """Set all weights and biases of a cell to zero."""
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
    return cell


@torch.no_grad()
def _run(cell: Cell, x: Tensor, state=None, read: int = 0) -> np.ndarray:
    """Step a cell over inputs (T, B, input_size); return one of its state's tensors, (T, B, n)."""
    states = []
    for step in x:
        state = cell(step, state)
        states.append((state if isinstance(state, tuple) else (state,))[read])
    return torch.stack(states).numpy()


def _pulse(steps: int, *pulses: tuple[int, int, float]) -> Tensor:
    """Return an input (steps, 1, 1) that is 0 except for pulses (first step, end, height)."""
    x = torch.zeros(steps, 1, 1)
    for first, end, height in pulses:
        x[first:end] = height
    return x


@figure_style()
def leaky() -> Figure:
    """Draw responses to an input that is switched on and off, for several time constants."""
    figure, (one, two) = _panels(2, sharey=True)
    x = _pulse(120, (10, 60, 1.0))
    for tau, colour in zip((1.0, 3.0, 10.0, 30.0), _shades(4), strict=True):
        cell = _still(rnncells.cell("TRNN", 1, 1, tau=tau))
        torch.nn.init.ones_(cell.weight_ih)
        one.plot(_run(cell, x)[:, 0, 0], color=colour, label=rf"$\tau$ = {tau:g}")
    one.set_title("TRNN (sRNN with τ = 1), without recurrent weights")
    cell = _still(rnncells.cell("MTRNN", 1, 1))
    with torch.no_grad():
        cell.weight_ih[0, 1] = 1.0  # the input reaches the fast group,
        cell.weight_hh[1, 0] = 1.3  # and the slow group hears of it from the fast one
    for read, (name, tau, colour) in enumerate(
        (("slow", cell.tau_slow, "#0072B2"), ("fast", cell.tau_fast, "#D55E00"))
    ):
        label = rf"{name}, $\tau$ = {tau:g}"
        two.plot(_run(cell, x, read=read)[:, 0, 0], color=colour, label=label)
    two.set_title("MTRNN, input → fast group → slow group")
    for axes in (one, two):
        axes.axvspan(10, 60, color="0.93", lw=0, zorder=0, label="input on")
        axes.set(xlabel="time (steps)", xlim=(0, 120))
        axes.legend(loc="upper right")
    one.set_ylabel("state h of one unit")
    return figure


@figure_style()
def lstm() -> Figure:
    """Draw what a memory cell keeps, by forget gate, and writing, holding and reading."""
    figure, (keep, gates) = _panels(2)
    steps = 101
    for f, colour in zip((0.5, 0.9, 0.97, 0.99, 0.999), _shades(5), strict=True):
        cell = _still(rnncells.cell("LSTM", 1, 1))
        with torch.no_grad():
            cell.bias_ih[1] = math.log(f / (1 - f))
        start = (torch.zeros(1, 1), torch.ones(1, 1))
        c = _run(cell, torch.zeros(steps - 1, 1, 1), start, read=1)[:, 0, 0]
        keep.plot(np.concatenate([[1.0], c]), color=colour, label=f"f = {f:g}")
    keep.set(xlabel="time since writing (steps)", ylabel="memory c kept (of 1)", xlim=(0, 145))
    keep.set(xticks=range(0, 101, 25), title="Forgetting by the forget gate f")
    keep.legend(loc="center right", bbox_to_anchor=(1.02, 0.55))

    cell = _still(rnncells.cell("LSTM", 3, 1))
    with torch.no_grad():
        # Inputs: the value, "write", "read". Gates i, f, g, o.
        cell.weight_ih[0, 2] = 1.0
        cell.weight_ih[1, 0] = 18.0
        cell.weight_ih[1, 1] = -18.0
        cell.weight_ih[2, 3] = 18.0
        cell.bias_ih.copy_(torch.tensor([-9.0, 9.0, 0.0, -9.0]))
    rng = np.random.default_rng(2)
    x = torch.zeros(100, 1, 3)
    x[:, 0, 0] = torch.as_tensor(np.repeat(rng.uniform(-1.5, 1.5, 20), 5))
    x[15:20, 0, 1] = 1.0
    x[70:80, 0, 2] = 1.0
    gates.plot(x[:, 0, 0], color="#BDBDBD", lw=0.8, label="input", drawstyle="steps-post")
    gates.plot(_run(cell, x, read=1)[:, 0, 0], color="#0072B2", label="memory c")
    gates.plot(_run(cell, x)[:, 0, 0], color="#D55E00", ls="--", label="output h")
    for first, end, name in ((15, 20, "i open, f shut"), (70, 80, "o open")):
        gates.axvspan(first, end, color="0.93", lw=0, zorder=0)
        gates.text((first + end) / 2, -1.75, name, ha="center", va="bottom", fontsize=7)
    gates.set(xlabel="time (steps)", ylabel="value", xlim=(0, 100), ylim=(-1.8, 2.5))
    gates.set_title("Writing, holding, reading")
    gates.legend(loc="upper center", ncols=3)
    return figure


@figure_style()
def gru() -> Figure:
    """Draw the interpolation by the update gate, and what the reset gate lets through."""
    figure, (update, reset) = _panels(2)
    colour = cell_look("GRU")[0]

    # A population with one member per value of a gate; x is the candidate's input.
    def gated(r: np.ndarray, z: np.ndarray) -> Cell:
        members = len(r)
        cell = _still(rnncells.cell("GRU", 1, 1, population=members))
        with torch.no_grad():
            cell.bias_ih[:, 0] = torch.logit(torch.as_tensor(r))
            cell.bias_ih[:, 1] = torch.logit(torch.as_tensor(z))
            cell.weight_ih[:, 0, 2] = 1.0
            cell.weight_hh[:, 0, 2] = 2.0
        return cell

    z = np.linspace(0.001, 0.999, 60)
    cell = gated(np.full(60, 1e-6), z)
    starts = (-1.0, -0.5, 0.0, 0.5)
    with torch.no_grad():
        x = torch.full((60, len(starts), 1), 1.0)
        h = cell(x, torch.tensor(starts)[:, None].expand(60, -1, -1)).numpy()[..., 0]
    for k, (start, shade) in enumerate(zip(starts, _shades(4), strict=True)):
        update.plot(z, h[:, k], color=shade, label=rf"$h_{{t-1}} = {start:g}$")
    update.axhline(math.tanh(1.0), color=_GREY, lw=0.8, ls=":")
    update.text(1.0, math.tanh(1.0) + 0.04, "candidate c", ha="right", va="bottom", color=_GREY)
    update.set(xlabel="update gate z", ylabel=r"next state $h_t$", xlim=(0, 1), ylim=(-1.1, 1.1))
    update.set_title("The update gate interpolates")
    update.legend(loc="lower left")

    r = np.array([0.001, 0.25, 0.5, 0.999])
    h = np.linspace(-1, 1, 81)
    with torch.no_grad():
        x = torch.full((4, 81, 1), 0.5)
        before = torch.as_tensor(h, dtype=torch.float32)[:, None].expand(4, -1, -1)
        c = gated(r, np.full(4, 1e-6))(x, before).numpy()[..., 0]
    for k, style_ in enumerate((":", "-.", "--", "-")):
        reset.plot(h, c[k], color=colour, ls=style_, label=f"r = {round(r[k], 2):g}")
    reset.set(xlabel=r"state $h_{t-1}$", ylabel="candidate c", xlim=(-1, 1), ylim=(-1.1, 1.1))
    reset.set_title("The reset gate hides the state from the candidate")
    reset.legend(loc="lower right")
    return figure


@figure_style()
def ugrnn() -> Figure:
    """Draw a unit that follows its input while the gate is open, and holds while it is shut."""
    figure, axes = plt.subplots(figsize=(7.0, 2.6), layout="constrained")
    time = np.arange(160)
    signal = 0.9 * np.sin(2 * np.pi * time / 37) + 0.4 * np.sin(2 * np.pi * time / 11.3)
    windows = ((10, 35), (70, 90), (125, 135))
    x = torch.zeros(160, 1, 2)
    x[:, 0, 0] = torch.as_tensor(signal)
    for first, end in windows:
        x[first:end, 0, 1] = 1.0
        axes.axvspan(first, end, color="0.93", lw=0, zorder=0)
        axes.text((first + end) / 2, -1.25, "u ≈ 0", ha="center", va="bottom", fontsize=7)
    axes.plot(time, np.tanh(signal), color="#BDBDBD", lw=0.9, label="candidate")
    for u, line in ((0.9999, "-"), (0.98, "--")):
        cell = _still(rnncells.cell("UGRNN", 2, 1))
        with torch.no_grad():
            cell.weight_ih[0, 1] = 1.0
            cell.weight_ih[1, 0] = -6.0 - math.log(u / (1 - u))
            cell.bias_ih[0] = math.log(u / (1 - u))
        h = _run(cell, x)[:, 0, 0]
        label = f"state h, u = {u:g} outside the windows"
        axes.plot(time, h, color=cell_look("UGRNN")[0], ls=line, lw=1.6, label=label)
    axes.set(xlabel="time (steps)", ylabel="value", xlim=(0, 160), ylim=(-1.3, 1.6))
    axes.set_title("The update gate u decides between following and holding")
    axes.legend(loc="upper right", ncols=3)
    return figure


def _rates(cell: Cell) -> np.ndarray:
    """Return the eigenvalues of (J - 1) tau, with J the Jacobian of a step at the state 0."""
    state = torch.zeros(1, cell.hidden_size)
    with torch.no_grad():
        projected = torch.zeros(1, cell.hidden_size)
    recurrence = cell.recurrence()
    jacobian = torch.func.jacrev(lambda h: cell.step(projected, (h[None],), recurrence)[0][0])(
        state[0]
    )
    return np.linalg.eigvals((jacobian.detach().numpy() - np.eye(cell.hidden_size)) * cell.tau)


@figure_style()
def antisymmetric() -> Figure:
    """Draw the eigenvalues of the linearised dynamics, beside those of an sRNN."""
    figure, (left, right) = _panels(2, sharex=True, sharey=True)
    n = 100
    torch.manual_seed(0)
    for gamma, marker, colour in (
        (0.0, "o", "#000000"),
        (0.3, "<", "#CC79A7"),
        (0.8, "D", "#0072B2"),
    ):
        cell = rnncells.cell("AntisymmetricRNN", 0, n, gamma=gamma)
        with torch.no_grad():
            cell.weight_hh *= math.sqrt(n)
        rates = _rates(cell)
        left.plot(
            rates.real,
            rates.imag,
            marker,
            ms=3,
            mew=0,
            color=colour,
            label=rf"$\gamma$ = {gamma:g}",
        )
    left.set_title(r"AntisymmetricRNN: the line Re = $-\gamma$")
    cell = rnncells.cell("sRNN", 0, n)
    with torch.no_grad():
        cell.weight_hh *= math.sqrt(n)
    rates = _rates(cell)
    right.plot(rates.real, rates.imag, ">", ms=3, mew=0, color=cell_look("sRNN")[0], label="sRNN")
    right.set_title("sRNN (τ = 1): a disc")
    for axes in (left, right):
        axes.axvline(0, color=_GREY, lw=0.8, ls=":", zorder=0)
        axes.set(
            xlabel="growth rate Re λ (1/τ)", xlim=(-2.4, 1.6), xticks=(-2, -1, 0, 1), aspect="equal"
        )
        axes.text(0.06, -2.35, "grows →", color=_GREY, va="bottom", fontsize=7)
    left.legend(loc="center left", bbox_to_anchor=(0.95, 0.5))
    left.set(ylabel="frequency Im λ (rad/τ)", ylim=(-2.4, 2.4))
    return figure


def _bistable(feedback: Tensor, update: float = 0.5) -> Cell:
    """Return BRCs of one unit, a member per value of the feedback, which is held constant."""
    cell = _still(rnncells.cell("BRC", 1, 1, population=len(feedback)))
    with torch.no_grad():
        cell.bias_ih[:, 0] = torch.atanh(feedback - 1)
        cell.bias_ih[:, 1] = math.log(update / (1 - update))
        cell.weight_ih[:, 0, 2] = 1.0
    return cell


@figure_style()
def bistable() -> Figure:
    """Draw the fixed points of a unit against its feedback, and what pulses do to it."""
    figure, (diagram, memory) = _panels(2)
    colour = cell_look("BRC")[0]
    # h = tanh(a h), solved for a
    h = np.linspace(1e-3, 0.9575, 300)
    a = np.arctanh(h) / h
    for sign in (1, -1):
        diagram.plot(a, sign * h, color="black", label="stable" if sign == 1 else None)
    diagram.plot([0, 1], [0, 0], color="black")
    diagram.plot([1, 2], [0, 0], color="black", ls="--", label="unstable")
    feedback = torch.linspace(0.1, 1.9, 12)
    starts = torch.tensor([-1.0, -0.1, 0.1, 1.0])
    state = starts[:, None].expand(len(feedback), -1, -1)
    cell = _bistable(feedback)
    end = _run(cell, torch.zeros(400, len(feedback), len(starts), 1), state)[-1]
    for k in range(len(starts)):
        label = "BRC after 400 steps" if k == 0 else None
        marker = cell_look("BRC")[1]
        diagram.plot(feedback, end[:, k, 0], marker, ms=5, color=colour, label=label, zorder=3)
    diagram.axvline(1, color=_GREY, lw=0.8, ls=":", zorder=0)
    diagram.set(xlabel="feedback a", ylabel="state h, without input", xlim=(0, 2))
    diagram.set_title("One memory below a = 1, two above")
    diagram.legend(loc="upper left")

    shown = torch.tensor([0.6, 0.95, 1.5])
    x = _pulse(120, (10, 15, 1.5), (70, 75, -1.5)).expand(-1, 3, -1)[:, :, None]
    trace = _run(_bistable(shown, 0.6), x)[:, :, 0, 0]
    for k, shade in enumerate(_shades(3)):
        memory.plot(trace[:, k], color=shade, label=f"a = {shown[k]:g}")
    for first, end, name in ((10, 15, "input +1.5"), (70, 75, "input \N{MINUS SIGN}1.5")):
        memory.axvspan(first, end, color="0.88", lw=0, zorder=0)
        memory.text(end + 1, -0.95 if first == 10 else 0.95, name, va="center", fontsize=7)
    memory.set(xlabel="time (steps)", ylabel="state h", xlim=(0, 120), ylim=(-1.05, 1.05))
    memory.set_title("A bistable unit keeps what a pulse wrote")
    memory.legend(loc="center right", bbox_to_anchor=(1.0, 0.62))
    return figure


@figure_style()
def esn() -> Figure:
    """Draw whether a reservoir forgets its initial state, by spectral radius."""
    figure, (echo, distance) = _panels(2)
    n, steps = 100, 200
    rng = np.random.default_rng(0)
    noise = torch.as_tensor(rng.normal(0, 0.2, (steps, 1, 1)), dtype=torch.float32)
    for radius, shade in zip((0.5, 0.8, 0.95, 2.0), _shades(4), strict=True):
        torch.manual_seed(1)
        cell = rnncells.cell(
            "ESN", 1, n, tau=1.0, connectivity=0.1, spectral_radius=radius
        ).double()
        state = torch.as_tensor(rng.normal(0, 1, (2, n)))
        runs = np.tanh(_run(cell, noise.double().expand(-1, 2, -1), state))
        apart = np.linalg.norm(runs[:, 0] - runs[:, 1], axis=-1) / math.sqrt(n)
        distance.semilogy(np.maximum(apart, 1e-16), color=shade, label=f"{radius:g}")
    distance.set(xlabel="time (steps)", ylabel="distance of two states (rms)", xlim=(0, steps))
    distance.set(ylim=(1e-10, 10), title="Two initial states, one input")
    distance.legend(title="spectral radius", title_fontsize=7, loc="lower right")
    torch.manual_seed(1)
    cell = rnncells.cell("ESN", 1, n, tau=3.0, connectivity=0.1, spectral_radius=0.95)
    with torch.no_grad():
        cell.bias_ih.zero_()
    h = np.tanh(_run(cell, _pulse(100, (5, 6, 1.0))))[:, 0]
    for unit in range(12):
        echo.plot(h[:, unit], lw=0.8, color=_SHADES(unit / 13))
    echo.axvline(5, color=_GREY, lw=0.8, ls=":", zorder=0)
    echo.set(xlabel="time (steps)", ylabel="output tanh(h)", xlim=(0, 100))
    echo.set_title("Echoes of one pulse in twelve units")
    return figure


@figure_style()
def predictive() -> Figure:
    """Draw state and velocity, and what additive and multiplicative causes do."""
    figure, (step, additive, multiplicative) = _panels(3)
    x = _pulse(160, (10, 160, 1.0))
    for name, options, line in (
        ("PC-RNN-V", {"tau": 10.0}, "-"),
        ("PC-RNN-GC", {"tau": 10.0, "alpha_h_prime": 0.1}, "--"),
        ("PC-RNN-GC-HC-A", {"tau": 20.0}, "-."),
    ):
        cell = _still(rnncells.cell(name, 1, 1, **options))
        torch.nn.init.ones_(cell.weight_ih)
        step.plot(_run(cell, x)[:, 0, 0], ls=line, color=cell_look(name)[0], label=name)
    step.axvspan(10, 160, color="0.93", lw=0, zorder=0)
    step.set(xlabel="time (steps)", ylabel="state h of one unit", xlim=(0, 160), ylim=(0, 2.9))
    step.set_title("Input switched on: a state,\na state with velocity")
    step.legend(loc="upper right")

    n, causes, seed = 60, 3, 5
    for axes, name in ((additive, "PC-RNN-HC-A"), (multiplicative, "PC-RNN-HC-M")):
        torch.manual_seed(seed)
        cell = rnncells.cell(name, causes, n, tau=4.0)
        with torch.no_grad():
            if name == "PC-RNN-HC-A":
                cell.weight_hh *= 1.6 * math.sqrt(n)
                cell.weight_ih *= 1.5
            else:
                cell.weight_f *= 1.5
        start = torch.randn(1, n).expand(causes, n)
        h = _run(cell, torch.eye(causes).expand(120, -1, -1), start)
        readout = np.random.default_rng(0).normal(0, n**-0.5, (n, 2))
        y = np.tanh(np.concatenate([start.numpy()[None], h])) @ readout
        for k, colour in enumerate(("#0072B2", "#E69F00", "#CC79A7")):
            axes.plot(*y[:, k].T, lw=0.9, color=colour, label=f"cause {k + 1}")
        axes.plot(*y[0, 0], "o", ms=5, color="black", label="start")
        axes.set(xlabel="output 1", ylabel="output 2")
        axes.set_aspect("equal", "datalim")
    additive.set_title("PC-RNN-HC-A: causes add;\nrandom weights")
    multiplicative.set_title("PC-RNN-HC-M: causes gate;\nrandom weights")
    multiplicative.legend(loc="best")
    return figure
