"""The figure of all cells on all studies."""

import pandas as pd

from rnncells.figures.summary import draw
from rnncells.results.overview import cells_over_studies, normalised


def test_cells_by_rank_studies_in_order_and_published_models_apart():
    rows = [(cell, 5, 8, 1, seed, s + seed / 10) for cell, s in (("GRU", 0.2), ("LSTM", 0.6))
            for seed in range(3)]  # fmt: skip
    runs = pd.DataFrame(rows, columns=["cell", "length", "hidden", "layers", "seed", "score"])
    scores = normalised({"b": runs, "a": runs[runs["cell"] == "GRU"]}, {"a": 1.0, "b": 1.0})
    figure = draw(scores, cells_over_studies(scores), {"MAMBA": {"a": 0.75}})
    grid = figure.axes[0]
    assert [tick.get_text() for tick in grid.get_xticklabels()] == ["b", "a"]
    names = [tick.get_text() for tick in grid.get_yticklabels()]
    assert names == ["GRU", "LSTM", "MAMBA (published)"]  # LSTM is not in both
    shown = {text.get_position(): text.get_text() for text in grid.texts}
    assert shown == {(0, 0): "0.30", (1, 0): "0.30", (0, 1): "0.70", (1, 2): "0.75"}
