"""The figure ``training_loss``: what it draws, read back from its artists."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from rnncells.figures import training_loss

from .made import PROTOCOL, footnote, lines, losses, texts


def test_training_loss_has_its_levels_and_labels():
    figure = training_loss.draw(losses([np.ones(50)]), PROTOCOL | {"training": {"stop_below": 0.3}})
    (ax,) = figure.axes
    level = {line.get_linestyle(): set(line.get_ydata()) for line in ax.get_lines()[2:]}
    assert level == {"--": {0.3}, ":": {1.0}}
    assert texts(ax) == ["goal 0.3", "chance"]
    assert ax.get_xlabel() == "Gradient step"
    assert "MSE" in ax.get_ylabel()


def test_training_loss_is_a_moving_average():
    curve = np.sin(np.arange(1000.0))
    figure = training_loss.draw(losses([curve], length=5), PROTOCOL)
    x, y = lines(figure.axes[0], "GRU")[0].get_data()
    assert (x[0], x[-1]) == (5, 1000)  # a quarter of the window of 20
    wanted = [curve[max(0, step - 20) : step].mean() for step in x]
    np.testing.assert_allclose(y, wanted, atol=1e-12)
    assert "20 steps (length 5)" in footnote(figure)


@pytest.mark.parametrize(("length", "steps", "window"), [(10, 90, 9), (11, 1000, 100), (5, 9, 1)])
def test_window(length, steps, window):
    figure = training_loss.draw(losses([np.ones(steps)], length=length), PROTOCOL)
    assert f"over {window} steps (length {length})" in footnote(figure)


def test_every_seed_is_a_thin_line_and_the_mean_a_thick_one():
    curves = [np.linspace(1, end, 200) for end in (0.1, 0.3, 0.8)]
    ax = training_loss.draw(losses(curves), PROTOCOL).axes[0]
    thin = [line for line in ax.get_lines() if line.get_linewidth() == 0.5]
    (mean,) = lines(ax, "GRU")
    assert len(thin) == 3
    assert mean.get_linewidth() > 1
    np.testing.assert_allclose(np.mean([line.get_ydata() for line in thin], 0), mean.get_ydata())
    assert {to_hex(line.get_color()) for line in thin} == {to_hex(mean.get_color())}


def test_a_seed_that_stopped_keeps_its_value_in_the_mean_and_its_own_line_ends():
    short, long = np.full(100, 0.0), np.full(200, 1.0)
    ax = training_loss.draw(losses([short, long]), PROTOCOL).axes[0]
    x, y = lines(ax, "GRU")[0].get_data()
    assert x[-1] == 200
    np.testing.assert_allclose(y, 0.5)
    thin = [line.get_data() for line in ax.get_lines() if line.get_linewidth() == 0.5]
    assert [x[-1] for x, _ in thin] == [100, 200]
    assert [set(y) for _, y in thin] == [{0.0}, {1.0}]


def test_training_loss_has_a_row_per_length_and_a_column_per_size():
    tables = [losses([np.ones(20)], length=n, hidden=h) for n in (5, 50, 7) for h in (30, 60)]
    figure = training_loss.draw(pd.concat(tables), PROTOCOL)
    titles = [ax.get_title() for ax in figure.axes]
    sizes = ["1 layer of 30 units", "1 layer of 60 units"]
    assert titles == [f"Length {n}, {size}" for n in (5, 7, 50) for size in sizes]
    assert len({ax.get_ylim() for ax in figure.axes}) == 1


def test_one_size_of_network_fits_a_column_of_text():
    tables = [losses([np.ones(20)], length=n) for n in (5, 7)]
    figure = training_loss.draw(pd.concat(tables), PROTOCOL)
    assert figure.get_figwidth() == 3.5
    assert "1 layer of 30 units." in footnote(figure)
