"""A cell that takes its time, so that a training lasts equally long on every machine."""

import time

from rnncells.cells.gru import GRU


class Slow(GRU):
    """A gated recurrent unit that sleeps at every step."""

    def step(self, projected, state, recurrence):
        time.sleep(0.2)
        return super().step(projected, state, recurrence)
