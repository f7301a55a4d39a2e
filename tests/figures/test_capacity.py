"""The figure ``capacity``: what it draws, read back from its artists."""

import pytest

from rnncells.figures import capacity

from .made import PROTOCOL, capacities, lines, texts


def test_capacity_gives_sizes_of_another_magnitude_their_own_panel():
    sizes = {"GRU": [30, 60], "LSTM": [30, 60], "ESN": [1000, 4000]}
    small, large, _ = capacity.draw(*capacities(sizes), PROTOCOL).axes
    assert [tick.get_text() for tick in small.get_xticklabels()] == ["30", "60"]
    assert [tick.get_text() for tick in large.get_xticklabels()] == ["1000", "4000"]
    assert lines(small, "ESN") == []
    assert list(lines(large, "ESN")[0].get_ydata()) == pytest.approx([103.0, 403.0])
    assert small.get_ylim() == large.get_ylim()
    assert small.get_yscale() == "symlog"


def test_capacity_ranks_each_cell_at_its_largest_size():
    sizes = {"GRU": [30, 60], "LSTM": [30, 60], "ESN": [1000]}
    ranking = capacity.draw(*capacities(sizes), PROTOCOL).axes[-1]
    labels = [tick.get_text() for tick in ranking.get_yticklabels()]
    assert labels == ["GRU", "LSTM", "ESN (1000)"]
    assert texts(ranking) == ["7.0", "8.0", "103.0"]
    assert [lines(ranking, cell)[0].get_xdata()[0] for cell in sizes] == pytest.approx([7, 8, 103])
    given, seeds = ranking.get_lines()[:2]
    assert list(given.get_xdata()) == [40, 40, 40]
    assert list(seeds.get_xdata()) == pytest.approx([6, 7, 8])
    assert "60 hidden units" in ranking.get_title()


def test_capacity_bars_are_the_intervals_of_the_summary():
    summary, runs = capacities({"GRU": [30]})
    ax = capacity.draw(summary, runs, PROTOCOL).axes[0]
    (segment,) = ax.collections[0].get_segments()
    assert list(segment[:, 1]) == pytest.approx([summary["low"][0], summary["high"][0]])
    assert summary["low"][0] < summary["high"][0]


def test_capacity_of_one_seed():
    figure = capacity.draw(*capacities({"GRU": [30]}, seeds=1), PROTOCOL)
    figure.draw_without_rendering()
    assert list(lines(figure.axes[0], "GRU")[0].get_ydata()) == [3.0]
