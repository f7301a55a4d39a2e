"""The figure ``accuracy``: what it draws, read back from its artists."""

import numpy as np
import pytest

from rnncells.figures import accuracy

from .made import PROTOCOL, additions, lines, texts


def test_accuracy_panels_band_and_trained_length():
    figure = accuracy.draw(additions(), PROTOCOL)
    assert [ax.get_title() for ax in figure.axes] == [
        "1 layer of 100 units",
        "2 layers of 100 units",
    ]
    ax = figure.axes[0]
    assert "digits" in ax.get_xlabel()
    assert "every bit right" in ax.get_ylabel()
    assert ax.get_ylim()[0] == 0
    assert texts(ax) == ["trained up to 20"]
    assert any(set(line.get_xdata()) == {20} for line in ax.get_lines())
    (line,) = lines(ax, "LSTM")
    assert line.get_ydata()[-1] == pytest.approx(0.6)
    band = ax.collections[0].get_paths()[0].vertices
    sem = 0.1 / np.sqrt(3)
    last = band[band[:, 0] == 60][:, 1]
    assert (last.min(), last.max()) == pytest.approx((0.6 - sem, 0.6 + sem))


def test_accuracy_of_several_trained_lengths_has_a_line_style_each():
    figure = accuracy.draw(additions(("GRU",), (1,), (50, 100), (10, 20)), PROTOCOL)
    assert len(figure.axes) == 2
    assert [line.get_linestyle() for line in lines(figure.axes[0], "GRU")] == ["--", "-"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["GRU", "trained up to 10", "trained up to 20"]


def test_one_seed_is_drawn_without_a_band():
    figure = accuracy.draw(additions(("GRU",), (1,), seeds=1), PROTOCOL)
    ax = figure.axes[0]
    assert len(lines(ax, "GRU")[0].get_ydata()) == 58
    assert all(len(path.vertices) == 0 for c in ax.collections for path in c.get_paths())
