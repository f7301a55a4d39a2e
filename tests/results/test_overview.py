"""Scores of all studies on one scale, and the ranking of the cells."""

import numpy as np
import pandas as pd
import pytest

from rnncells.results.overview import cells_over_studies, normalised, pairs_over_studies


def runs(**scores):
    rows = [(cell, 5, 8, 1, seed, s) for cell, of in scores.items() for seed, s in enumerate(of)]
    return pd.DataFrame(rows, columns=["cell", "length", "hidden", "layers", "seed", "score"])


def test_scores_lie_between_chance_and_perfect():
    studies = {"a": runs(GRU=[0.5, 1.0]), "b": runs(GRU=[30, -4, 70])}
    table = normalised(studies, {"a": 1.0, "b": 60.0})
    assert table["score"].tolist() == [0.5, 1.0, 0.5, 0.0, 1.0]
    assert table["study"].tolist() == ["a"] * 2 + ["b"] * 3


def test_cells_are_ranked_by_the_interquartile_mean_over_studies():
    studies = {
        "a": runs(GRU=[0.2, 0.3, 0.4, 0.9], LSTM=[0.8] * 4, ESN=[1.0] * 4),
        "b": runs(GRU=[0.1, 0.2, 0.3, 0.4], LSTM=[0.6] * 4),
    }
    table = cells_over_studies(normalised(studies, {"a": 1.0, "b": 1.0}))
    # The echo state network is not in both.
    assert table["cell"].tolist() == ["LSTM", "GRU", "ESN"]
    assert table["rank"].tolist() == [1, 2, 3]
    gru = table.set_index("cell").loc["GRU"]
    assert gru["iqm"] == pytest.approx(np.mean([0.2, 0.3, 0.3, 0.4]))
    assert gru["low"] <= gru["iqm"] <= gru["high"]
    assert (gru["studies"], gru["runs"]) == (2, 8)


def test_pairs_are_compared_on_the_tasks_that_both_have():
    studies = {
        "a": runs(GRU=[0.2, 0.4], LSTM=[0.3, 0.3], ESN=[0.5, 0.6]).assign(
            hidden=lambda t: t["cell"].map({"GRU": 8, "LSTM": 8, "ESN": 100})
        ),
        "b": runs(GRU=[0.0, 0.0], LSTM=[0.0, 0.0]),
    }
    table = pairs_over_studies(normalised(studies, {"a": 1.0, "b": 1.0}))
    table = table.set_index(["cell", "other"])
    assert len(table) == 6
    # An echo state network's only size is compared with the others' only size.
    assert table.loc[("ESN", "GRU"), ["tasks", "probability"]].tolist() == [1, 1.0]
    # a: one of two pairs is won by either; b: nobody learns it, which is a tie
    gru = table.loc[("GRU", "LSTM")]
    assert (gru["tasks"], gru["probability"]) == (2, 0.5)
    assert gru["low"] < 0.5 < gru["high"]
