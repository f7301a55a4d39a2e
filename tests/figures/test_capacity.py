"""The figure ``capacity``: what it draws, read back from its artists."""

import numpy as np
import pandas as pd
import pytest

from rnncells.figures import capacity

from .made import PROTOCOL, capacities, footnote, lines


def rows_of(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def marks(ax, marker):
    """Return what is drawn with a marker: (x, rounded row)."""
    return [
        (float(x), round(float(y)))
        for line in ax.get_lines()
        if line.get_marker() == marker and line.get_linestyle() == "None"
        for x, y in line.get_xydata()
    ]


def test_a_panel_per_size_and_another_magnitude_has_a_row_of_its_own():
    sizes = {"GRU": [30, 60], "LSTM": [30, 60], "ESN": [1000, 2000, 4000]}
    axes = capacity.draw(*capacities(sizes), PROTOCOL).axes
    titles = [ax.get_title() for ax in axes]
    assert titles == [f"{n} hidden units" for n in (30, 60, 1000, 2000, 4000)]
    assert [rows_of(ax) for ax in axes] == [["LSTM", "GRU"], [], ["ESN"], [], []]
    assert [len(ax.get_yticks()) for ax in axes] == [2, 2, 1, 1, 1]
    assert len({ax.get_xlim() for ax in axes}) == 1


def test_the_order_of_the_cells_is_that_of_the_largest_size_in_every_panel():
    summary, runs, published = capacities({"GRU": [30, 60], "LSTM": [30, 60], "sRNN": [30]})
    summary.loc[(summary["cell"] == "GRU") & (summary["hidden"] == 60), "mean"] = 39.0
    small, large = capacity.draw(summary, runs, published, PROTOCOL).axes
    assert rows_of(small) == ["GRU", "LSTM", "sRNN"]
    for ax in (small, large):
        assert [lines(ax, cell)[0].get_ydata()[0] for cell in ("GRU", "LSTM")] == [0, 1]
    assert lines(large, "sRNN") == []


def test_every_seed_its_mean_and_the_sequences_given():
    (ax,) = capacity.draw(*capacities({"GRU": [30], "LSTM": [30]}), PROTOCOL).axes
    assert rows_of(ax) == ["LSTM", "GRU"]
    assert marks(ax, ".") == [(4, 0), (5, 0), (6, 0), (3, 1), (4, 1), (5, 1)]
    assert marks(ax, "|") == [(40, 0)] * 3 + [(40, 1)] * 3
    assert lines(ax, "GRU")[0].get_xydata().tolist() == [[4, 1]]
    assert lines(ax, "LSTM")[0].get_xydata().tolist() == [[5, 0]]


def test_the_bars_are_the_intervals_of_the_summary_within_what_is_possible():
    summary, runs, published = capacities({"GRU": [30]})
    for low, high, drawn in ((2.5, 5.5, (2.5, 5.5)), (-9.0, 50.0, (0.0, 40.0))):
        summary[["low", "high"]] = low, high
        (ax,) = capacity.draw(summary, runs, published, PROTOCOL).axes
        (segment,) = ax.collections[0].get_segments()
        assert segment[:, 0].tolist() == pytest.approx(drawn)


def test_published_expectations_are_open_circles_where_there_are_some():
    summary, runs, _ = capacities({"GRU": [30, 60], "LSTM": [30, 60]})
    where = {"length": 60, "layers": 1, "metric": "sequences"}
    published = pd.DataFrame(
        [
            {"cell": "GRU", "hidden": 60, "value": 33.5} | where,
            {"cell": "ESN", "hidden": 60, "value": 99.0} | where,
            {"cell": "LSTM", "hidden": 60, "value": 12.6} | where | {"length": 20},
        ]
    )
    figure = capacity.draw(summary, runs, published, PROTOCOL)
    small, large = figure.axes
    circles = [
        line for line in large.get_lines() if line.get_marker() == "o" and len(line.get_xdata())
    ]
    (circle,) = [line for line in circles if line.get_markerfacecolor() == "none"]
    assert circle.get_xydata().tolist() == [[33.5, 1]]
    assert not [
        line
        for line in small.get_lines()
        if line.get_markerfacecolor() == "none" and len(line.get_xdata())
    ]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "published expectation" in entries
    without = capacity.draw(*capacities({"GRU": [30]}), PROTOCOL)
    entries = [text.get_text() for text in without.legends[0].get_texts()]
    assert "published expectation" not in entries


def test_the_axis_begins_at_0_and_grows_with_the_square_root():
    (ax,) = capacity.draw(*capacities({"GRU": [30]}), PROTOCOL).axes
    place = ax.transData.transform([(0, 0), (10, 0), (40, 0)])[:, 0]
    assert ax.get_xlim()[0] == 0
    assert (place[2] - place[0]) / (place[1] - place[0]) == pytest.approx(2)
    assert ax.get_xticks().tolist() == [0, 2, 5, 10, 20] or 40 > max(ax.get_xticks()) >= 20


def test_the_footnote_says_when_trajectories_are_synthetic():
    tables = capacities({"GRU": [30]})
    assert "synthetic" not in footnote(capacity.draw(*tables, PROTOCOL))
    synthetic = capacity.draw(*tables, PROTOCOL | {"synthetic": True})
    assert "The trajectories are synthetic." in footnote(synthetic)


def test_capacity_of_one_seed():
    figure = capacity.draw(*capacities({"GRU": [30]}, seeds=1), PROTOCOL)
    figure.draw_without_rendering()
    assert lines(figure.axes[0], "GRU")[0].get_xdata().tolist() == [3.0]


def test_capacity_of_several_lengths_has_rows_for_each():
    summary, runs, published = capacities({"GRU": [30], "LSTM": [30]})
    both = [pd.concat([part, part.assign(length=20)]) for part in (summary, runs)]
    axes = capacity.draw(*both, published, PROTOCOL).axes
    assert [ax.get_title() for ax in axes] == [
        f"30 hidden units (length {n}, layers: 1)" for n in (20, 60)
    ]
    np.testing.assert_allclose(lines(axes[1], "GRU")[0].get_xdata(), 4)
