"""What docs/seeds.md says of n seeds is what its script computes."""

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = runpy.run_path(str(DOCS / "examples/seeds.py"))
PAGE = dict(SCRIPT["rows_of"]((DOCS / "seeds.md").read_text()))
#: Of each column of a table, at as many simulations as are made here: 4 standard errors, about.
ERRORS = {
    "means": (0, 0.006, 0.02, 0.07),
    "differences": (0, 0.006, 0.006, 0.006, 0.006, 0.006),
    "counts": (0, 0.006, 0.006, 0.006, 0.006),
    "pairs": (0, 1.0, 0.05, 0.05),
    "tasks": (0, 0.17, 0.02, 0.2, 0.17),
}


@pytest.fixture(scope="module")
def computed():
    return SCRIPT["numbers"](simulations=5000, bootstraps=60)


@pytest.mark.parametrize("table", ERRORS)
def test_the_tables_have_the_numbers_of_the_script(table, computed):
    assert len(PAGE[table]) == 3
    for said, found in zip(PAGE[table], computed[table], strict=True):
        for number, other, error in zip(said, found, ERRORS[table], strict=True):
            assert number == pytest.approx(other, abs=error)


def test_the_sentences_that_name_numbers_hold():
    power, binomial = SCRIPT["power"], SCRIPT["binomial_interval"]
    assert power(5, 2) == pytest.approx(2 / 3, abs=0.03)
    assert power(10, 2) > 0.95
    assert binomial(5, 5)[0] < 0.5 < binomial(6, 6)[0]
    assert binomial(0, 3)[1] > 2 / 3
