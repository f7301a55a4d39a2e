"""The floor of a training step: its matrix products alone, by the fastest library there is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rnncells import RNN
from rnncells.cells.base import Cell

from .timing import Work, interleave


@dataclass(frozen=True)
class Product:
    """``(rows, inner) @ (inner, columns)``, a number of times."""

    rows: int
    inner: int
    columns: int
    times: int = 1


PRODUCTS = {getattr(torch.ops.aten, name).default for name in ("mm", "bmm", "addmm", "baddbmm")}


class _Recorder(TorchDispatchMode):
    """Writes down the matrix products that PyTorch makes."""

    def __init__(self) -> None:
        super().__init__()
        self.products: list[Product] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function in PRODUCTS:
            *_, a, b = args
            members = a.size(0) if a.dim() == 3 else 1
            self.products.append(Product(a.size(-2), a.size(-1), b.size(-1), members))
        return function(*args, **(kwargs or {}))


def recorded(function: Callable, *arguments: object) -> list[Product]:
    """Return the products of one call."""
    with _Recorder() as recorder, torch.no_grad():
        function(*arguments)
    return recorder.products


def layer(cell: Cell, x: Tensor, *, first: bool) -> Iterator[Product]:
    """Return the products of training one layer.

    The gradient with respect to a weight is one product over all steps; the one with respect to the
    state is one product per step, like the forward pass.

    Args:
        cell: the layer's cell.
        x: its input, ``([S,] T, B, input_size)``; with stride 0 along T if it is constant.
        first: whether it is the first layer, whose input needs no gradient.
    """
    steps, batch = x.shape[-3:-1]
    constant = x.size(-1) == 0 or x.stride(-3) == 0
    projected = x[..., :1, :, :] if constant else x
    learned = cell.trainable
    for product in recorded(cell.project, projected):
        yield product
        if learned:
            yield _left_transposed(product)
            if not first:
                yield _right_transposed(product)
    state = cell.initial_state(batch)
    step = recorded(cell.step, cell.project(x[..., 0, :, :]), state, cell.recurrence())
    for product in step:
        every = replace(product, times=product.times * steps)
        yield every
        if learned:
            yield _right_transposed(every)
            yield _left_transposed(replace(product, rows=steps * batch))


def stack(rnn: RNN, x: Tensor) -> Iterator[Product]:
    """Return the products of training a stack of layers on x."""
    for k, cell in enumerate(rnn.cells):
        yield from layer(cell, x, first=k == 0)
        x = x.new_empty((*x.shape[:-1], rnn.hidden_size))


def readout(rnn: RNN, rows: int, outputs: int) -> Iterator[Product]:
    """Return the products of training a linear readout of ``rows`` states of every model."""
    forward = Product(rows, rnn.hidden_size, outputs, rnn.population or 1)
    yield forward
    yield _left_transposed(forward)
    if rnn.cells[0].trainable:
        yield _right_transposed(forward)


def _left_transposed(product: Product) -> Product:
    """Return the product that gives the gradient of the right factor."""
    return replace(product, rows=product.inner, inner=product.rows)


def _right_transposed(product: Product) -> Product:
    """Return the product that gives the gradient of the left factor."""
    return replace(product, inner=product.columns, columns=product.inner)


def operations(products: Iterable[Product]) -> float:
    """Return how many multiplications and additions products are."""
    return sum(2.0 * p.rows * p.inner * p.columns * p.times for p in products)


def work(products: Iterable[Product]) -> Work:
    """Return the work of making all products, each by the faster of PyTorch and NumPy."""
    tasks = [
        (product.times, _fastest(product))
        for product in products
        if product.rows and product.inner and product.columns
    ]

    def run() -> None:
        for times, multiply in tasks:
            for _ in range(times):
                multiply()

    return run


def _fastest(product: Product) -> Work:
    a = torch.randn(product.rows, product.inner)
    b = torch.randn(product.inner, product.columns)
    out = torch.empty(product.rows, product.columns)
    arrays = a.numpy(), b.numpy(), out.numpy()
    candidates = {
        "torch": lambda: torch.mm(a, b, out=out),
        "numpy": lambda: np.dot(*arrays),
    }
    times = interleave(candidates, seconds=0, rounds=3)
    return candidates[min(times, key=lambda name: np.median(times[name]))]
