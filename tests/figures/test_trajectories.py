"""The figure ``trajectories``: what it draws, read back from its artists."""

import numpy as np
import pandas as pd
import pytest

from rnncells.figures import trajectories

from .made import PROTOCOL, generated, texts


def test_trajectories_mark_what_was_learned():
    figure = trajectories.draw(*generated(errors=(0.05, 0.1, 0.3)), PROTOCOL)
    ax = figure.axes[0]
    assert texts(ax)[:3] == ["✓ 0.05", "✗ 0.1", "✗ 0.3"]
    assert "threshold 0.1" in texts(ax)
    assert ax.get_aspect() == 1
    target, prediction = ax.get_lines()[:2]
    np.testing.assert_allclose(target.get_ydata(), np.arange(60) / 60)
    np.testing.assert_allclose(prediction.get_ydata(), 0.05)


def test_the_scale_bar_is_as_long_as_the_threshold():
    protocol = PROTOCOL | {"training": {"threshold": 0.2}}
    ax = trajectories.draw(*generated(), protocol).axes[0]
    assert [np.ptp(line.get_xdata()) for line in ax.get_lines()[-2:]] == pytest.approx([0.5, 0.2])


def test_trajectories_show_the_largest_network_of_each_cell():
    tables = [generated(("GRU",), hidden=30), generated(("GRU", "LSTM"), hidden=60)]
    examples, metrics = (pd.concat(part) for part in zip(*tables, strict=True))
    figure = trajectories.draw(examples, metrics, PROTOCOL)
    titles = [ax.get_title("left") for ax in figure.axes]
    assert titles == ["LSTM (60 units)", "GRU (60 units)"]


def of_coordinates(number, size=1.0):
    """Examples with so many coordinates, each ``size`` times another sine over the steps."""
    examples, metrics = generated()
    base = examples[examples["coordinate"] == 0]
    parts = [
        base.assign(coordinate=c, target=size * np.sin((c + 1) * base["target"]))
        for c in range(number)
    ]
    return pd.concat(parts), metrics


def test_one_coordinate_is_drawn_over_the_steps():
    ax = trajectories.draw(*of_coordinates(1), PROTOCOL).axes[0]
    x, y = ax.get_lines()[0].get_data()
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0])
    np.testing.assert_allclose(y, np.sin(np.arange(60) / 60), atol=1e-12)


@pytest.mark.parametrize("number", [3, 4])
def test_three_coordinates_are_drawn_in_a_parallel_projection(number):
    ax = trajectories.draw(*of_coordinates(number), PROTOCOL).axes[0]
    line = np.array(ax.get_lines()[0].get_data()).T
    coordinates = np.sin(np.outer(np.arange(60) / 60, [1, 2, 3]))
    # Parallel: the drawing is a linear map of the coordinates, and one of rank 2.
    found = np.linalg.lstsq(np.c_[coordinates, np.ones(60)], line, rcond=None)[0]
    np.testing.assert_allclose(np.c_[coordinates, np.ones(60)] @ found, line, atol=1e-9)
    assert np.linalg.matrix_rank(found[:3]) == 2


@pytest.mark.parametrize("size", [0.01, 100.0])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_coordinates_of_any_size_fill_their_frame(number, size):
    ax = trajectories.draw(*of_coordinates(number, size), PROTOCOL).axes[0]
    points = np.array(ax.get_lines()[0].get_data())
    assert 1.0 < np.ptp(points, axis=1).max() < 2.9
    assert np.abs(points).max() < 1.45
