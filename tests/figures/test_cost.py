"""The figure ``cost``: what it draws, read back from its artists."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from rnncells.figures import cost

from .made import costs, footnote, texts


def test_the_footnote_says_what_core_hours_are():
    assert "last process" in footnote(cost.draw(costs()))


@pytest.mark.parametrize(
    ("hours", "written"), [(0.0123, "0.012"), (9.54, "9.5"), (1234.5, "1,234"), (np.nan, "-")]
)
def test_hours(hours, written):
    assert cost._hours(hours) == written


def test_cost_has_a_bar_and_a_row_for_each_rule():
    text, bars = cost.draw(costs()).axes
    widths = [p.get_width() for p in bars.patches if isinstance(p, Rectangle)]
    assert widths == [2.0, 1.0]
    assert "hours" in bars.get_xlabel()
    assert {"Jobs", "Memory (MB)", "512", "-", "30 min 00 s", "train"} <= set(texts(text))
    assert {"Core-hours", "1.8"} <= set(texts(text))
    assert texts(text).count("a") == 1
    assert "2 h 00 min" in texts(bars)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(1.24, "1.2 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3600, "1 h 00 min"), (np.nan, "-")],
)
def test_duration(seconds, written):
    assert cost._duration(seconds) == written
