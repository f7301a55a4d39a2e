"""The page of a study."""

from pathlib import Path

from rnncells.results.pages import study_page

ROOT = Path(__file__).parents[2]


def test_the_page_of_a_study_shows_its_figures():
    folder = Path("results/figures/search")
    run = "search/cell=mine:Cell/length=5/hidden=6/layers=1"
    figures = [
        f"{folder}/{name}.{kind}" for name in ("training_loss", run) for kind in ("pdf", "png")
    ]
    protocol = {
        "task": "some",
        "seeds": 3,
        "source": "hyperparameters: search",
        "reduced": [],
        "published": True,
    }
    page = study_page("search", folder, figures, protocol)
    assert "## training loss\n\n![training loss](./training_loss.png)\n" in page
    assert "## search cell=mine:Cell length=5 hidden=6 layers=1\n" in page
    assert f"](./{run}.png)" in page
    assert ".pdf" not in page
