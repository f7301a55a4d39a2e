"""The functions of one number that units are made of, in Triton, and units compiled with them."""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import triton
import triton.language as tl

from .. import scalars


@triton.jit
def zero(x):
    """Return 0."""
    return tl.zeros_like(x)


@triton.jit
def one(x):
    """Return 1."""
    return tl.zeros_like(x) + 1.0


@triton.jit
def sigmoid(x):
    """Return the logistic function."""
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def tanh(x):
    """Return the hyperbolic tangent, precise for small numbers too.

    With k ln 2 + r = 2 x and e = exp(2 x) - 1 = 2^k (exp(r) - 1) + (2^k - 1) it is e / (e + 2).
    """
    # Beyond the limits there is nothing but 1. NaN stays NaN.
    limit: tl.constexpr = 20.0 if x.dtype == tl.float64 else 10.0
    terms: tl.constexpr = 13 if x.dtype == tl.float64 else 8
    x = tl.where(x > limit, limit, tl.where(x < -limit, -limit, x))
    k = tl.floor(x * 2.8853900817779268 + 0.5)
    # ln 2 in two parts, the first with so few digits that k times it is exact.
    r = (2.0 * x - k * 0.693359375) + k * 2.1219444005469058e-4
    s = tl.zeros_like(x) + 1.0
    for term in tl.static_range(terms - 1):
        s = 1.0 + s * r * (1.0 / (terms - term))
    scale = tl.exp2(k)
    e = scale * (s * r) + (scale - 1.0)
    return e / (e + 2.0)


FUNCTIONS = {
    scalars.zero: zero,
    scalars.one: one,
    scalars.tanh: tanh,
    scalars.quick_tanh: tanh,
    scalars.sigmoid: sigmoid,
    scalars.quick_sigmoid: sigmoid,
}


@cache
def compiled(function: Callable[..., Any]) -> Any:
    """Compile a scalar function: a copy of it whose names stand for Triton's functions."""
    if function in FUNCTIONS:
        return FUNCTIONS[function]
    names = {**function.__globals__, "tl": tl}  # its interpreter looks for it
    for name in function.__code__.co_names:
        called = names.get(name)
        if called in FUNCTIONS or getattr(called, "scalar", False):
            names[name] = compiled(called)
    copy = FunctionType(function.__code__, names, function.__name__)
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return triton.jit(copy)
