"""The figure of the scorecard."""

import numpy as np
import pandas as pd
import pytest

from rnncells.figures import scorecard
from rnncells.results.scorecard import VERDICTS

from ..results.test_scorecard import CLAIMS, claim, compare, runs, study


def test_nothing_run_is_drawn_as_such():
    figure = scorecard.draw(compare(CLAIMS, {}))
    (tally,) = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "not comparable",
        "not run",
    ]
    lengths = sum(bar.get_width() for bar in tally.patches)
    assert lengths == len(CLAIMS)


def test_published_numbers_stand_beside_ours():
    values = 0.65 + 0.01 * np.array([-1, 0, 1])
    table = compare(pd.DataFrame([claim()]), {"s": study(runs("GRU", values))})
    figure = scorecard.draw(table)
    _, numbers = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [table["verdict"][0]]
    (point,) = [line for line in numbers.get_lines() if line.get_label() == "GRU"]
    assert point.get_xydata().tolist() == [[0.6, pytest.approx(0.65)]]
    assert set(scorecard.COLOURS) == set(VERDICTS)
