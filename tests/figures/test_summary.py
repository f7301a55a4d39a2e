"""The figure of all cells on all studies."""

import pandas as pd
from matplotlib.colors import to_hex

from rnncells.figures.style import cell_look
from rnncells.figures.summary import draw, without_common_parts
from rnncells.results.overview import cells_over_studies, normalised, pairs_over_studies


def drawn(references, seeds=3, cells=(("GRU", 0.2), ("LSTM", 0.6))):
    rows = [(cell, 5, 8, 1, seed, s + seed / 10) for cell, s in cells for seed in range(seeds)]
    runs = pd.DataFrame(rows, columns=["cell", "length", "hidden", "layers", "seed", "score"])
    studies = {"b": runs, "a": runs[runs["cell"] == "GRU"]}
    scores = normalised(studies, {"a": 1.0, "b": 1.0})
    ranking, pairs = cells_over_studies(scores), pairs_over_studies(scores)
    figure = draw(scores, ranking, pairs, references, {"b": "copy_first_input", "a": "cogscale"})
    grid, means, _, matrix, _ = figure.axes
    return figure, grid, means, matrix


def numbers(ax):
    return {text.get_position(): text.get_text() for text in ax.texts}


def test_cells_by_rank_studies_in_order_and_published_models_apart():
    _, grid, means, _ = drawn({"Mamba": {"a": 0.75}})
    assert [tick.get_text() for tick in grid.get_xticklabels()] == ["b", "a"]
    rows = grid.get_yticklabels()
    assert [tick.get_text() for tick in rows] == ["GRU", "LSTM", "Mamba"]  # LSTM is not in both
    assert [tick.get_style() for tick in rows] == ["normal", "normal", "italic"]
    assert [to_hex(tick.get_color()).upper() for tick in rows[:2]] == [
        cell_look(cell)[0] for cell in ("GRU", "LSTM")
    ]
    assert numbers(grid) == {(0, 0): ".30", (1, 0): ".30", (0, 1): ".70", (1, 2): ".75"}
    assert [text.get_text() for text in means.texts] == ["published\nby others"]


def test_the_pairs_are_the_probabilities_of_improvement():
    _, _, _, matrix = drawn({})
    # LSTM has .6 .7 .8 and GRU .2 .3 .4 in the study that both are in.
    assert numbers(matrix) == {(1, 0): ".00", (0, 1): "1.0"}
    assert {text.get_weight() for text in matrix.texts} == {"bold"}


def test_a_single_cell_has_no_pairs():
    rows = pd.DataFrame(
        {"cell": "GRU", "length": 5, "hidden": 8, "layers": 1, "seed": [0, 1], "score": [0.1, 0.2]}
    )
    scores = normalised({"a": rows}, {"a": 1.0})
    ranking, pairs = cells_over_studies(scores), pairs_over_studies(scores)
    assert len(draw(scores, ranking, pairs, {}, {"a": "cogscale"}).axes) == 3


def test_cells_that_share_no_study_have_no_pairs():
    one = {"length": 5, "hidden": 8, "layers": 1, "seed": [0, 1], "score": [0.1, 0.2]}
    studies = {
        name: pd.DataFrame({"cell": cell} | one) for name, cell in (("a", "GRU"), ("b", "LSTM"))
    }
    scores = normalised(studies, {"a": 1.0, "b": 1.0})
    ranking, pairs = cells_over_studies(scores), pairs_over_studies(scores)
    assert len(draw(scores, ranking, pairs, {}, dict.fromkeys(studies, "cogscale")).axes) == 3


def test_the_footnote_says_what_is_normalised_and_names_seeds_and_intervals():
    figure, *_ = drawn({"Mamba": {"a": 0.75}}, seeds=4)
    said = " ".join(figure.get_supxlabel().split())
    for words in ("2 studies · 4 seeds", "0 is a guess", "stratified bootstrap", "by others"):
        assert words in said
    assert "by others" not in drawn({})[0].get_supxlabel()


def test_names_are_shortened_by_what_they_have_in_common():
    names = ["cogscale-simple_copy-small", "cogscale-adding-small", "cogscale-x-small"]
    assert without_common_parts(names) == (["simple copy", "adding", "x"], "cogscale, small")
    assert without_common_parts(["a-1", "a-1-b", "a-2"]) == (["1", "1-b", "2"], "a")
    assert without_common_parts(["denoising-0", "denoising-20"])[0] == [
        "denoising-0",
        "denoising-20",
    ]
