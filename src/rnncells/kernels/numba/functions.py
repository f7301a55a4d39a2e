r"""Functions for the kernels: tanh and the logistic function, of a number or of a vector of them.

They work on vectors too (:mod:`rnncells.kernels.numba.vector`), which functions of the C library do
not. Both are made of the exponential, whose argument is reduced to
:math:`x = k \ln 2 + r` with an integer k and :math:`|r| \le \ln(2) / 2`:

.. math::
    e^x = 2^k (1 + s), \quad s = r + r^2 / 2! + r^3 / 3! + \ldots, \qquad
    \tanh x = \frac{e}{e + 2}, \quad e = e^{2x} - 1 = 2^k s + (2^k - 1)

The error is about one unit in the last place: 1.2e-7 at most for float32, 5e-16 for float64.
:func:`quick_tanh` and :func:`quick_sigmoid` are the same for float64. For float32 they are half the
work, with an error of at most 3e-7:

.. math::
    \tanh x = x \frac{P(x^2)}{Q(x^2)}, \qquad \sigma(x) = \frac{1 + \tanh(x / 2)}{2}

Cells that amplify small differences, as bistable ones do, should not use them. A NaN stays NaN, so
that a diverged state stays visible.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable

from ..scalars import one, quick_sigmoid, quick_tanh, sigmoid, tanh, zero
from .vector import Vector, same_type

#: How all kernels are compiled: no traps for a division by zero, products and sums may be fused,
#: and nothing else may change: NaN and infinity stay what they are.
COMPILED = {"error_model": "numpy", "fastmath": {"contract", "nsz"}}
#: The same for scalar functions, which must become part of the loop that calls them.
INLINED = {**COMPILED, "forceinline": True}


class _Constants(NamedTuple):
    """The numbers of one precision."""

    half: Any
    one: Any
    two: Any
    log2_e: Any
    # ln 2 in two parts, the first with so few digits that k times it is exact.
    ln2_high: Any
    ln2_low: Any
    # Adding this rounds a number to an integer, which then stands in the last bits.
    rounding: Any
    # Beyond these, tanh is 1 and the exponential is still finite.
    tanh_limit: Any
    exp_limit: Any
    # 1 / k! of the last term first.
    series: tuple[Any, ...]


def _constants(kind: type, ln2_high: float, bits: int, limits: tuple[int, int], terms: int) -> Any:
    numbers = (0.5, 1, 2, 1 / math.log(2), ln2_high, math.log(2) - ln2_high, 1.5 * 2**bits, *limits)
    series = tuple(kind(1 / math.factorial(k)) for k in range(terms, 0, -1))
    return _Constants(*map(kind, numbers), series)


_SINGLE = _constants(np.float32, 0.693359375, 23, (10, 80), 7)
_DOUBLE = _constants(np.float64, 0.6931471803691238, 52, (20, 700), 13)

# P and Q, the last coefficient first: the minimax approximation in relative error up to the limit,
# beyond which tanh is 1 in float32.
_ABOVE = (1.335445606e-8, 2.0608942667e-5, 3.4955799894e-3, 0.1338101888974, 0.9999999794530)
_BELOW = (7.776476794e-7, 3.285621271e-4, 2.58769515663e-2, 0.4671433448253, 1.0)
_P, _Q = (tuple(map(np.float32, numbers)) for numbers in (_ABOVE, _BELOW))
# At this limit the quotient is exactly 1, so that a gate is exactly closed at minus infinity.
_HALF, _LIMIT = np.float32(0.5), np.float32(9.04)


@overload(zero, jit_options=INLINED)
def _zero(x):
    return lambda x: _constant(x, 0)


@overload(one, jit_options=INLINED)
def _one(x):
    return lambda x: _constant(x, 1)


@intrinsic(prefer_literal=True)
def _constant(typing: Any, x: Any, number: Any) -> Any:
    """Return an integer, which must be a constant, as a number of the type of x."""
    value = float(number.literal_value)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(x)
        vector = isinstance(kind, ir.VectorType)
        return ir.Constant(kind, [value] * kind.count if vector else value)

    return x(x, number), code


def _single(x: Any) -> bool:
    """Return whether a number, or those of a vector, are float32."""
    return (x.dtype if isinstance(x, Vector) else x) == types.float32


@overload(tanh, jit_options=INLINED)
def _tanh(x):
    c = _SINGLE if _single(x) else _DOUBLE

    def implementation(x):
        scale, s = _exponential(c.two * _clamp(x, c.tanh_limit), c)
        e = scale * s + (scale - c.one)
        return e / (e + c.two)

    return implementation


@overload(sigmoid, jit_options=INLINED)
def _sigmoid(x):
    c = _SINGLE if _single(x) else _DOUBLE

    def implementation(x):
        # The square of the exponential of half the argument: infinite where it has to be.
        scale, s = _exponential(-_clamp(c.half * x, c.exp_limit), c)
        root = scale + scale * s
        return c.one / (c.one + root * root)

    return implementation


@overload(quick_tanh, jit_options=INLINED)
def _quick_tanh(x):
    return _quotient if _single(x) else lambda x: tanh(x)


@overload(quick_sigmoid, jit_options=INLINED)
def _quick_sigmoid(x):
    if _single(x):
        return lambda x: _HALF + _HALF * quick_tanh(_HALF * x)
    return lambda x: sigmoid(x)


def _quotient(x):
    """Return tanh(x) of a float32."""
    x = _clamp(x, _LIMIT)
    square = x * x
    return x * _polynomial(square, _P) / _polynomial(square, _Q)


@register_jitable(**INLINED)
def _exponential(x, c):
    """Return 2^k and s, for which the exponential is 2^k (1 + s)."""
    shifted = x * c.log2_e + c.rounding
    k = shifted - c.rounding
    r = (x - k * c.ln2_high) - k * c.ln2_low
    return _power_of_two(shifted), _polynomial(r, c.series) * r


@intrinsic
def _polynomial(typing: Any, x: Any, coefficients: Any) -> Any:
    """Return a polynomial of x; the first coefficient is that of the highest power."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x_, coefficients_ = arguments
        first, *others = (
            same_type(context, builder, kind, x, number)
            for kind, number in zip(
                coefficients, cgutils.unpack_tuple(builder, coefficients_), strict=True
            )
        )
        for other in others:
            first = builder.fadd(builder.fmul(first, x_), other)
        return first

    return x(x, coefficients), code


@intrinsic
def _clamp(typing: Any, x: Any, limit: Any) -> Any:
    """Return x within [-limit, limit], and NaN for NaN, without a branch."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x_, limit_ = arguments
        limit_ = same_type(context, builder, limit, x, limit_)
        lowest = builder.fneg(limit_)
        x_ = builder.select(builder.fcmp_ordered(">", x_, limit_), limit_, x_)
        return builder.select(builder.fcmp_ordered("<", x_, lowest), lowest, x_)

    return x(x, limit), code


@intrinsic
def _power_of_two(typing: Any, shifted: Any) -> Any:
    """Return 2**k from k + ``rounding``: the bits of k, moved to the place of the exponent."""
    bits, fraction, bias = (32, 23, 127) if _single(shifted) else (64, 52, 1023)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(bits)
        if isinstance(shifted, Vector):
            word = ir.VectorType(word, shifted.lanes)
        exponent = builder.bitcast(arguments[0], word)
        exponent = builder.add(exponent, _everywhere(word, bias))
        moved = builder.shl(exponent, _everywhere(word, fraction))
        return builder.bitcast(moved, context.get_value_type(shifted))

    return shifted(shifted), code


def _everywhere(word: Any, number: int) -> Any:
    """Return a constant, or a vector with it in every lane."""
    vector = isinstance(word, ir.VectorType)
    return ir.Constant(word, [number] * word.count if vector else number)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function inline, into the compiled functions that call it."""
    return register_jitable(**INLINED)(function)


@cache
def jitable(function: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Let kernels call a scalar function, and return it with the scalar functions that it calls."""
    called = (function.__globals__.get(name) for name in function.__code__.co_names)
    inner = [jitable(other) for other in called if getattr(other, "scalar", False)]
    if getattr(function, "scalar", False):
        inlined(function)
    return function, *(other for others in inner for other in others)
