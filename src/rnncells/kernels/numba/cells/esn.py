"""Kernel of the ESN: the reservoir is made of leaky integrators."""

from ....cells.esn import ESN
from ..driver import Dense
from ..leaky import LEAKY, rate
from ..sequence import register

register(ESN, Dense(LEAKY), rate)
