"""Kernels of the leaky integrators: sRNN, TRNN and MTRNN."""

from ...cells.leaky import MTRNN, SRNN, TRNN
from ..recurrence import Dense
from ..registry import register
from .integrator import LEAKY, rate

for leaky in (SRNN, TRNN):
    register(leaky, Dense(LEAKY), rate)
# One group of 2n units: the rates of n slow ones, then those of n fast ones.
register(MTRNN, Dense(LEAKY), lambda cell: (1 / cell.tau_slow, 1 / cell.tau_fast))
