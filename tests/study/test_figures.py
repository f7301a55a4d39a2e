"""What the workflow reads of a figure's source."""

import subprocess
import sys

import pytest

from rnncells.figures import accuracy
from rnncells.study.figures import TABLES, describe_figure, figures

OWN = '''
def drift(metrics, runs, protocol):
    """How far it drifts.

    Look for the far ones.
    """

def bare(protocol, *, examples):
    pass

def nosy(metrics, weights, protocol):
    pass

def silent(metrics):
    pass
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/pictures.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)


def test_the_figures_of_this_project():
    assert {"training_loss", "accuracy", "capacity", "trajectories", "scores"} <= set(figures())
    assert not {"search", "cost", "style", "drawing"} & set(figures())
    for name in figures():
        described = describe_figure(name)
        assert described.module == f"rnncells.figures.{name}"
        assert set(described.tables) <= set(TABLES)
        assert len(described.caption) > 100


def test_a_figures_parameters_are_the_tables_it_reads():
    assert describe_figure("scores").tables == ("metrics", "summary")
    assert describe_figure("accuracy").caption.startswith("Accuracy of binary addition against")
    assert accuracy.draw.__doc__.startswith("Accuracy of binary addition against")


def test_a_figure_of_the_users_own(own):
    described = describe_figure("mine.pictures:drift")
    assert (described.module, described.function) == ("mine.pictures", "drift")
    assert described.tables == ("metrics", "runs")
    assert described.caption == "How far it drifts.\n\nLook for the far ones."
    assert describe_figure("mine.pictures:bare").tables == ("examples",)
    assert describe_figure("mine.pictures:bare").caption == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("capacty", "unknown figure 'capacty' (did you mean 'capacity'?); allowed: accuracy"),
        ("search", "unknown figure 'search'"),
        ("mine.pictures:", "is not a name of a figure"),
        ("mine.paintings:drift", "there is no module 'mine.paintings'"),
        ("mine.pictures:drip", "there is no function 'drip'"),
        ("mine.pictures:nosy", "its parameters are metrics, weights, protocol; allowed: protocol"),
        ("mine.pictures:silent", "its parameters are metrics; allowed: protocol"),
    ],
)
def test_a_mistake_is_one_line(own, name, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        describe_figure(name)
    assert words in str(error.value)


def test_reading_a_figure_imports_no_matplotlib():
    code = (
        "import sys; from rnncells.study.figures import describe_figure; "
        "describe_figure('capacity'); print(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"matplotlib", "pandas", "torch"}.isdisjoint(out.stdout.split())
