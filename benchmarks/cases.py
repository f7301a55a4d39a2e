"""The cases: what is timed, against whom, and what is to be reached.

To add one, add a row to :func:`cases`; a new kind of work is a function that returns a
:class:`Contest`.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from rnncells import kernels
from rnncells.study.models import RunSpec
from rnncells.tasks.base import Batch
from rnncells.tasks.trajectories import synthetic
from rnncells.training.loop import assemble
from rnncells.training.step import TrainingStep

from . import floor
from .floor import Product
from .peers import descent, layers_of
from .timing import Work

#: The cells of the capacity study.
FOURTEEN = (
    "sRNN",
    "TRNN",
    "MTRNN",
    "LSTM",
    "GRU",
    "UGRNN",
    "AntisymmetricRNN",
    "ESN",
    "PC-RNN-V",
    "PC-RNN-GC",
    "PC-RNN-HC-A",
    "PC-RNN-HC-M",
    "PC-RNN-GC-HC-A",
    "PC-RNN-GC-HC-M",
)


@dataclass
class Contest:
    """What is timed in turns.

    Attributes:
        ours: one training step of this library.
        peers: the same work of others; a text instead says why it cannot be timed.
        products: the matrix products of the step.
        models: how many models the step trains.
    """

    ours: Work
    peers: Mapping[str, Work | str] = field(default_factory=dict)
    products: Sequence[Product] = ()
    models: int = 1


@dataclass
class Case:
    """A contest, by name, and what is to be reached.

    Attributes:
        name: shown in table and figure.
        group: which table of the page shows it.
        contest: makes the contest.
        ratio: how many times faster than each peer it should be at least.
        floor_ratio: how many times the floor it should take at most.
        share: the least share of the processor's peak.
        milliseconds: the most time.
        quick: whether a quick run has it.
    """

    name: str
    group: str
    contest: Callable[[], Contest]
    ratio: Mapping[str, float] = field(default_factory=dict)
    floor_ratio: float | None = None
    share: float | None = None
    milliseconds: float | None = None
    quick: bool = False


def cases(quick: bool) -> list[Case]:
    """Return all cases, or those of a quick run; the shortest works come first."""
    every = chain(_fixed(), _layers(), _addition(), _capacity(not quick), _scaling(), _gpu())
    return [case for case in every if case.quick or not quick]


def _fixed() -> Iterator[Case]:
    name = "TRNN of one unit, one step, one sequence"
    yield Case(name, "fixed", smallest, milliseconds=0.25, quick=True)


def smallest() -> Contest:
    """An iteration with next to no arithmetic: what it costs besides the kernels."""
    return Contest(remembering("TRNN", 1, 1, 1, units=1))


def _capacity(compiled: bool) -> Iterator[Case]:
    for cell in FOURTEEN:
        few = cell in ("TRNN", "PC-RNN-HC-A")
        peers = ("readable", "torch.compile") if few and compiled else ("readable",)
        contest = partial(capacity, cell, p=61, models=10, peers=peers)
        yield Case(cell, "capacity", contest, floor_ratio=1.8, quick=few)


def capacity(
    cell: str, *, p: int, models: int = 1, steps: int = 60, peers: tuple[str, ...] = ()
) -> Contest:
    """Models of 60 units learn p trajectories by heart: one iteration of the capacity study."""
    step = remembering(cell, p, models, steps)
    others: dict[str, Work | str] = {}
    for peer in peers:
        if peer == "readable":
            others[peer] = readable(remembering(cell, p, models, steps))
        elif peer == "torch.compile":
            others[peer] = compiled(remembering(cell, p, models, steps))
    return Contest(step, others, products_of(step), models)


def _addition() -> Iterator[Case]:
    for cell, ratio in (("BRC", 5.0), ("nBRC", 4.0)):
        name = f"5 {cell}s, binary addition, T=21, B=200"
        contest = partial(addition, cell)
        yield Case(name, "layers", contest, {"brc_pytorch": ratio}, quick=cell == "nBRC")


def addition(cell: str) -> Contest:
    """Five models learn to add numbers of 20 digits; the peer's five take turns.

    Our step draws its data; the peer's are given.
    """
    units, layers, length, seeds = 100, 2, 20, range(5)
    settings = {
        "first_length": length,
        "epochs_per_length": 1000,
        "samples_per_epoch": 10_000,
        "batch_size": 200,
        "test_length": length,
        "test_samples": 1,
    }
    step = population("binary_addition", cell, length, units, layers, [{} for _ in seeds], settings)
    batch = step.task.batch(0)
    theirs = [
        descent(
            layers_of("brc_pytorch", cell, 2, units, layers),
            units,
            x,
            target,
            nn.BCEWithLogitsLoss(),
        )
        for x, target in zip(batch.x, batch.target, strict=True)
    ]
    return Contest(step, {"brc_pytorch": in_turn(theirs)}, products_of(step), len(seeds))


def _layers() -> Iterator[Case]:
    for cell, peer, ratio, share in (
        ("LSTM", "torch.nn", 1.7, 0.55),
        ("GRU", "torch.nn", 4.0, 0.55),
        ("BRC", "brc_pytorch", 11.0, None),
        ("nBRC", "brc_pytorch", 6.5, None),
    ):
        contest = partial(copying, cell, peer, layers=2, steps=300, batch=100)
        name, ratios = f"{cell}, two layers, T=300, B=100", {peer: ratio}
        yield Case(name, "layers", contest, ratios, share=share, quick=True)
    for cell, ratio in (("BRC", 15.0), ("nBRC", 8.0), ("UGRNN", 7.0), ("AntisymmetricRNN", 9.0)):
        contest = partial(copying, cell, "torchrecurrent", layers=1, steps=100, batch=50)
        name, ratios = f"{cell}, one layer, T=100, B=50", {"torchrecurrent": ratio}
        yield Case(name, "layers", contest, ratios, quick=cell in ("BRC", "UGRNN"))


def copying(cell: str, peer: str, *, layers: int, steps: int, batch: int) -> Contest:
    """One model of 100 units sees one number per step, and says the first one at the end."""
    units = 100
    x = torch.randn(steps, batch, 1)
    make = partial(layers_of, cell=cell, inputs=1, units=units, layers=layers)
    step = partial(descent, units=units, x=x, target=x[0], loss=nn.MSELoss())
    ours, theirs = make("rnncells"), make(peer)
    products = [*floor.stack(ours, x), *floor.readout(ours, batch, 1)]
    return Contest(step(ours), {peer: step(theirs)}, products)


def _scaling() -> Iterator[Case]:
    for steps in (100, 300, 1000, 3000):
        yield Case(f"TRNN, T={steps}", "scaling", partial(longer, steps))
    for models in (2, 4, 8, 16, 32, 64):
        yield Case(f"TRNN, {models} models", "scaling", partial(wider, models))


def longer(steps: int) -> Contest:
    """A capacity iteration of T steps, against as many of 30 steps as it is long."""
    ours, short = (remembering("TRNN", 61, 1, T) for T in (steps, 30))
    return Contest(ours, {"T=30, repeated": in_turn([short] * round(steps / 30))})


def wider(models: int) -> Contest:
    """A capacity iteration of many models, against one model's, as often as there are models."""
    ours, one = (remembering("TRNN", 61, S, 60) for S in (models, 1))
    return Contest(ours, {"1 model, repeated": in_turn([one] * models)}, models=models)


#: Models of a capacity study that fill a GPU: 60 sequences are four programs of the kernels, and
#: an H200 has 132 processors.
FULL = 32


def _gpu() -> Iterator[Case]:
    if not torch.cuda.is_available():
        return
    for models in (1, 4, 16, 64, 256, 1024):
        for cell in ("GRU", "PC-RNN-HC-A"):
            ratio = {"1 model, repeated": 0.8 * models} if models <= FULL else {}
            contest = partial(wider_on_gpu, cell, models)
            yield Case(f"{cell}, {models} models, GPU", "gpu", contest, ratio, quick=models == 64)
    for cell in ("GRU", "LSTM", "PC-RNN-HC-A"):
        ratio = {"torch.compile": 10.0} | ({"torch.nn": 3.0} if hasattr(nn, cell) else {})
        yield Case(f"10 {cell}s, capacity, GPU", "gpu", partial(ten_on_gpu, cell), ratio)
    for cell in ("GRU", "nBRC"):
        ratio = {"torch.nn": 3.0} if hasattr(nn, cell) else {}
        contest = partial(ten_layers_on_gpu, cell)
        yield Case(f"10 {cell}s, two layers, T=300, B=100, GPU", "gpu", contest, ratio)


def wider_on_gpu(cell: str, models: int) -> Contest:
    """A capacity iteration of many models, against one model's, as often as there are models."""
    ours, one = (remembering(cell, 60, S, 60, "cuda") for S in (models, 1))
    return Contest(ours, {"1 model, repeated": in_turn([one] * models)}, models=models)


def ten_on_gpu(cell: str) -> Contest:
    """A capacity iteration of ten models; those of PyTorch's layers (cuDNN) take turns."""
    step, *others = (remembering(cell, 60, 10, 60, "cuda") for _ in range(3))
    peers = {"readable": readable(others[0]), "torch.compile": compiled(others[1])}
    batch = step.task.batch(0)
    x, target = torch.zeros_like(batch.target[0]), batch.target[0]
    return Contest(step, peers | in_turn_on_gpu(cell, x, target, 60, 1), models=10)


def ten_layers_on_gpu(cell: str) -> Contest:
    """Ten models of two layers of 100 units see 300 numbers, and say the first one at the end."""
    settings = {
        "train_sequences": 10_000,
        "test_sequences": 1,
        "batch_size": 100,
        "epochs": 100,
        "stop_below": 0.0,
    }
    make = partial(population, "copy_first_input", cell, 300, 100, 2, [{} for _ in range(10)])
    step, other = (make(settings, "cuda") for _ in range(2))
    batch = step.task.batch(0)
    peers = in_turn_on_gpu(cell, batch.x[0], batch.target[0], 100, 2)
    return Contest(step, {"readable": readable(other)} | peers, models=10)


def in_turn_on_gpu(
    cell: str, x: Tensor, target: Tensor, units: int, layers: int
) -> dict[str, Work]:
    """Return the work of ten models of PyTorch's layers, if it has the cell."""
    if not hasattr(nn, cell):
        return {}
    make = partial(layers_of, "torch.nn", cell, x.size(-1), units, layers)
    works = [descent(make().to(x.device), units, x, target, nn.MSELoss()) for _ in range(10)]
    return {"torch.nn": in_turn(works)}


# How the works are made


def population(
    task: str,
    cell: str,
    length: int,
    units: int,
    layers: int,
    hyperparameters: list[dict[str, float]],
    settings: Mapping,
    device: str = "cpu",
) -> TrainingStep:
    """Return the training step of a population, as the pipeline makes it."""
    spec = RunSpec(
        task=task,
        cell=cell,
        length=length,
        hidden_size=units,
        layers=layers,
        training=settings,
        device=device,
    )
    seeds = range(len(hyperparameters))
    work, network = assemble(spec, seeds, hyperparameters, trajectories())
    return TrainingStep(work, network, [1e-3] * len(hyperparameters))


@cache
def trajectories() -> np.ndarray:
    """Return enough trajectories of enough points for all cases."""
    return synthetic(61, 3000, seed=0)


def remembering(
    cell: str, p: int, models: int, steps: int, device: str = "cpu", units: int = 60
) -> TrainingStep:
    """Return the training step of the capacity study, with its published options."""
    learned = cell in ("AntisymmetricRNN", "PC-RNN-GC")
    settings = {
        "iterations": 100_000,
        "threshold": 0.1,
        "initial_state": "learned" if learned else "fixed",
        "feedback": "none",
    }
    hyperparameters = [{"p": p} for _ in range(models)]
    return population(
        "trajectory_generation", cell, steps, units, 1, hyperparameters, settings, device
    )


def readable(step: TrainingStep) -> Work:
    """Return the work of making the next step without kernels."""

    def run() -> None:
        with kernels.disabled():
            step()

    return run


def compiled(step: TrainingStep) -> Work | str:
    """Return the readable step with its forward and backward pass through ``torch.compile``."""
    if not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")):
        return "no C++ compiler"
    network, objective = step.network, step.task.objective

    @torch.compile
    def forward(x: Tensor, target: Tensor) -> Tensor:
        return network.loss(objective(Batch(x, target)))

    step.task.objective = lambda batch: None  # only the loss says what the network should do
    step.task.loss = lambda network, batch: forward(batch.x, batch.target)
    return step


def in_turn(works: list[Work]) -> Work:
    """Return the work of doing all works one after the other."""

    def run() -> None:
        for work in works:
            work()

    return run


def products_of(step: TrainingStep) -> list[Product]:
    """Return the matrix products of a training step."""
    x, rnn = step.task.batch(0).x, step.network.rnn
    rows = step.task.batch(0).target[0, ..., 0].numel()
    return [*floor.stack(rnn, x), *floor.readout(rnn, rows, step.task.output_size)]
