"""Kernel of the ESN: the reservoir is made of leaky integrators."""

from ...cells.esn import ESN
from ..recurrence import Dense
from ..registry import register
from .integrator import LEAKY, rate

register(ESN, Dense(LEAKY), rate)
