"""What the planner reads off the source of a class."""

from math import inf
from pathlib import Path

from rnncells.cells import CELLS
from rnncells.study.catalogue import cells, describe_cell

ROOT = Path(__file__).parents[2]


def test_the_catalogue_says_of_cells_what_their_classes_say():
    assert set(cells()) == set(CELLS)
    for name, made in CELLS.items():
        described = describe_cell(name)
        assert described.module == made.__module__
        assert described.search_space == made.search_space
        assert described.constants.get("causes", False) == made.causes
        assert described.constants.get("trainable", True) == made.trainable
    assert list(describe_cell("PC-RNN-GC-HC-M").options) == ["tau", "factors"]
    assert not describe_cell("sRNN").options
    assert describe_cell("PC-RNN-GC").limits == {"tau": (1.0, inf), "alpha_h_prime": (0.0, inf)}
    assert describe_cell("ESN").limits["connectivity"] == (0.0, 1.0)
