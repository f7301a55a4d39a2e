"""The figure ``scores``: what it draws, read back from its artists."""

import numpy as np
import pandas as pd
import pytest

from rnncells.figures import scores

from .made import PROTOCOL, footnote, lines, rows, scored, texts


def together(*parts):
    return (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))


def test_every_seed_is_a_point_and_the_interval_is_that_of_the_summary():
    metrics, summary = scored({"GRU": [1.0, 2.0, 6.0], "LSTM": [4.0, 4.0, 4.0]})
    (ax,) = scores.draw(metrics, summary, PROTOCOL).axes
    seeds = [line.get_xdata() for line in ax.get_lines() if line.get_marker() == "."]
    np.testing.assert_allclose(seeds, [[4.0, 4.0, 4.0], [1.0, 2.0, 6.0]])
    assert lines(ax, "GRU")[0].get_xdata() == [3.0]
    bars = [bar.get_segments()[0] for bar in ax.collections]
    gru = summary[summary["cell"] == "GRU"].iloc[0]
    np.testing.assert_allclose(bars[1][:, 0], [gru["low"], gru["high"]])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["LSTM", "GRU"]


def test_the_chance_level_is_that_of_the_tasks_metric():
    own = scored({"GRU": [1.0, 2.0]}, "error")
    other = scored({"GRU": [10.0, 20.0]}, "steps")
    protocol = PROTOCOL | {"metric": "error", "chance": 0.7}
    first, second = scores.draw(*together(other, own), protocol).axes
    assert (first.get_xlabel(), second.get_xlabel()) == ("error", "steps")
    dashed = [
        [line for line in ax.get_lines() if line.get_linestyle() == "--"] for ax in (first, second)
    ]
    assert [list(line.get_xdata()) for line in dashed[0]] == [[0.7, 0.7]]
    assert not dashed[1]
    assert "chance level, 0.7" in footnote(scores.draw(*together(other, own), protocol))


@pytest.mark.parametrize(
    ("axis", "values", "titles"),
    [
        ("length", (5, 50), ["length 5", "length 50"]),
        ("hidden", (30, 60, 100), ["30 units", "60 units", "100 units"]),
    ],
)
def test_a_panel_per_length_and_size(axis, values, titles):
    parts = [scored({"GRU": [value, value + 1.0]}, **{axis: value}) for value in values]
    axes = scores.draw(*together(*parts), PROTOCOL).axes
    assert [ax.get_title() for ax in axes] == titles
    assert [lines(ax, "GRU")[0].get_xdata()[0] for ax in axes] == [v + 0.5 for v in values]
    assert len({ax.get_xlim() for ax in axes}) == 1


def test_what_is_measured_along_an_axis_is_not_drawn():
    metrics, summary = scored({"GRU": [1.0, 2.0]})
    curve = rows("train_loss", "step", range(5), 9.0)
    assert len(scores.draw(pd.concat([metrics, curve]), summary, PROTOCOL).axes) == 1


def test_seeds_that_solve_the_task_are_counted():
    protocol = PROTOCOL | {"solved": ("final_test_mse", "below", 0.1)}
    figure = scores.draw(*scored({"GRU": [1.0, 0.0, 1.0], "LSTM": [0.0] * 3}, "solved"), protocol)
    assert texts(figure.axes[0]) == ["0 of 3", "2 of 3"]
    assert "Solved: final test MSE below 0.1" in footnote(figure)
    assert "exact binomial 95 %" in footnote(figure)
    assert "Solved" not in footnote(scores.draw(*scored({"GRU": [1.0]}), PROTOCOL))


def test_seeds_that_diverged_are_counted():
    figure = scores.draw(*scored({"GRU": [1.0, np.nan, 3.0]}), PROTOCOL)
    assert "1 run diverged" in footnote(figure)
    figure = scores.draw(*scored({"GRU": [np.nan, np.nan]}), PROTOCOL)
    assert "2 runs diverged" in footnote(figure)
    figure.draw_without_rendering()
