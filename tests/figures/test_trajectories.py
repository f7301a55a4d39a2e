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
