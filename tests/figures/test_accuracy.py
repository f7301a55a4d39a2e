"""The figure ``accuracy``: what it draws, read back from its artists."""

import numpy as np
import pytest

from rnncells.figures import accuracy

from .made import PROTOCOL, additions, footnote, lines, texts


def test_accuracy_panels_and_trained_length():
    figure = accuracy.draw(*additions(), PROTOCOL)
    assert [ax.get_title() for ax in figure.axes] == [
        "1 layer of 100 units",
        "2 layers of 100 units",
    ]
    ax = figure.axes[0]
    assert "digits" in figure.axes[1].get_xlabel()
    assert ax.get_ylabel() == "Accuracy"
    assert "every bit right" in footnote(figure)
    assert ax.get_ylim()[0] == 0
    assert texts(ax) == ["trained up to 20"]
    assert any(set(line.get_xdata()) == {20} for line in ax.get_lines())
    assert lines(ax, "LSTM")[0].get_ydata()[-1] == pytest.approx(0.6)
    assert max(ax.get_xticks()) <= 60 < ax.get_xlim()[1]


def test_every_seed_is_a_thin_line():
    metrics, summary = additions(("LSTM",), (1,))
    (ax,) = accuracy.draw(metrics, summary, PROTOCOL).axes
    thin = [line for line in ax.get_lines() if line.get_linewidth() == 0.5]
    np.testing.assert_allclose([line.get_ydata()[-1] for line in thin], [0.5, 0.6, 0.7])
    np.testing.assert_allclose([line.get_ydata()[0] for line in thin], 1.0)


def test_the_interval_at_the_greatest_length_is_that_of_the_summary_within_0_and_1():
    metrics, summary = additions(("LSTM",), (1,))
    last = summary[summary["position"] == 60].index[0]
    for low, high, drawn in ((0.35, 0.85, (0.35, 0.85)), (-0.2, 1.4, (0, 1))):
        summary.loc[last, ["low", "high"]] = low, high
        (ax,) = accuracy.draw(metrics, summary, PROTOCOL).axes
        (bar,) = ax.collections
        np.testing.assert_allclose(bar.get_segments()[0][:, 1], drawn)
        assert bar.get_segments()[0][0, 0] > 60
    assert "at length 60 with its 95 % t interval" in footnote(
        accuracy.draw(metrics, summary, PROTOCOL)
    )


def test_accuracy_of_several_trained_lengths_has_a_line_style_each():
    figure = accuracy.draw(*additions(("GRU",), (1,), (50, 100), (10, 20)), PROTOCOL)
    assert len(figure.axes) == 2
    assert [line.get_linestyle() for line in lines(figure.axes[0], "GRU")] == ["--", "-"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["GRU", "trained up to 10", "trained up to 20"]


def test_one_seed_is_drawn_without_an_interval():
    figure = accuracy.draw(*additions(("GRU",), (1,), seeds=1), PROTOCOL)
    ax = figure.axes[0]
    assert len(lines(ax, "GRU")[0].get_ydata()) == 58
    figure.draw_without_rendering()
