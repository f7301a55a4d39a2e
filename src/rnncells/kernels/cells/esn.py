"""Kernel of the ESN: the reservoir is made of leaky integrators."""

from ...cells.esn import ESN
from ..drivers.dense import Dense
from ..sequence import register
from .leaky import LEAKY, rate

register(ESN, Dense(LEAKY), rate)
