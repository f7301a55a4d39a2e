"""A user's own figure, drawn by the name of its function."""

import pytest
from matplotlib.figure import Figure

from rnncells.figures.drawing import draw
from rnncells.jobs.errors import UserError

from .made import PROTOCOL, scored

OWN = """
import matplotlib
from matplotlib.figure import Figure

def lines(metrics, protocol):
    figure = Figure()
    figure.subplots().plot(metrics["value"])
    figure.suptitle(f"{protocol['study']} {matplotlib.rcParams['font.size']}")
    return figure

def axes(metrics, protocol):
    return Figure().subplots()
"""


@pytest.fixture
def metrics(tmp_path, monkeypatch):
    (tmp_path / "own_figure.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return {"metrics": scored({"GRU": [1.0, 2.0]})[0]}


def test_a_users_figure_is_drawn_in_the_style_of_the_others(metrics):
    figure = draw("own_figure", "lines", metrics, PROTOCOL)
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "mine 8.0"
    assert list(figure.axes[0].get_lines()[0].get_ydata()) == [1.0, 2.0]


def test_what_is_no_figure_is_refused_in_one_line(metrics):
    with pytest.raises(UserError, match=r"own_figure:axes returned Axes; expected a matplotlib"):
        draw("own_figure", "axes", metrics, PROTOCOL)
