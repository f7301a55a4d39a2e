"""The published expectations that come with the project."""

from pathlib import Path

import pytest

from rnncells.results.published import read_expectations

OPTIMA = Path(__file__).parents[2] / "src/rnncells/published/capacity_optima.csv"


def test_expectations_are_those_of_the_surrogates_optimum():
    table = read_expectations(OPTIMA, [60], [1]).set_index(["cell", "hidden"])
    assert table.loc[("PC-RNN-V", 40), "value"] == pytest.approx(10.6908)
    value = table.loc[("AntisymmetricRNN", 40), "value"]
    assert value == pytest.approx((9.00043 + 10.96) / 2, abs=1e-4)  # (score + p) / 2
    assert set(table["length"]) == {60}
    assert set(table["metric"]) == {"sequences"}
    assert set(read_expectations(OPTIMA, [20, 60], [1])["length"]) == {20, 60}


def test_the_search_that_is_a_copy_of_another_is_left_out():
    table = read_expectations(OPTIMA, [60], [1])
    assert sorted(table.loc[table["cell"] == "PC-RNN-V", "hidden"]) == [30, 40]
    assert len(table) == 36


def test_without_a_file_there_are_none():
    assert read_expectations(None).empty
