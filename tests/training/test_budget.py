"""A budget of parameters is used as far as whole units allow, by every cell."""

import pytest

from rnncells.cells import CELLS
from rnncells.jobs.errors import UserError
from rnncells.study.models import RunSpec
from rnncells.training.loop import assemble
from tests import tiny


def network(cell, **size):
    spec = RunSpec(
        task="copy_first_input",
        cell=cell,
        length=3,
        training=tiny.SETTINGS["copy_first_input"],
        device="cpu",
        **size,
    )
    return assemble(spec, [0, 1], [{"lr": 0.1}] * 2)[1]


def learned(made):
    """Count one member's learned numbers, readout included."""
    return sum(p[0].numel() for p in made.parameters() if p.requires_grad)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_one_unit_more_would_be_too_many(cell, layers):
    made = network(cell, parameters=500, layers=layers)
    assert learned(made) <= 500
    assert learned(network(cell, hidden_size=made.rnn.hidden_size + 1, layers=layers)) > 500


def test_the_size_of_a_gru_in_closed_form():
    """3 n² + 3 n (input + 2) of the cell, n + 1 of the readout."""
    made = network("GRU", parameters=3 * 16**2 + 3 * 16 * 3 + 17)
    assert made.rnn.hidden_size == 16
    assert network("GRU", parameters=3 * 16**2 + 3 * 16 * 3 + 16).rnn.hidden_size == 15


def test_a_budget_below_one_unit():
    with pytest.raises(UserError, match="parameters: 3 is too small; the least possible is 14"):
        network("GRU", parameters=3)
