"""Cells compared, against SciPy and by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rnncells.results.comparisons import compare_cells, improvements, over_tasks
from rnncells.results.statistics import holm


def study(scores, **condition):
    """Metrics (an error, less is better) and runs of cells, a list of scores each, one per seed."""
    condition = {"length": 5, "hidden": 8, "layers": 1} | condition
    rows = [
        {"cell": cell, **condition, "seed": seed, "score": score}
        for cell, own in scores.items()
        for seed, score in enumerate(own)
    ]
    runs = pd.DataFrame(rows)
    errors = runs.drop(columns="score").assign(
        metric="error", axis="none", position=0, value=1 - runs["score"]
    )
    return errors, runs


def joined(*studies):
    return tuple(pd.concat(tables, ignore_index=True) for tables in zip(*studies, strict=True))


def test_differences_are_paired_by_seed():
    rng = np.random.default_rng(0)
    scores = {cell: list(rng.random(5)) for cell in ("LSTM", "GRU", "nBRC")}
    metrics, runs = study(scores)
    table = compare_cells(metrics.sample(frac=1, random_state=0), runs, "error")
    assert list(zip(table["cell"], table["other"], strict=True)) == [
        ("LSTM", "GRU"),
        ("LSTM", "nBRC"),
        ("GRU", "nBRC"),
    ]
    for row in table.itertuples():
        x, y = (1 - np.array(scores[cell]) for cell in (row.cell, row.other))
        test = stats.ttest_rel(x, y)
        interval = test.confidence_interval(0.95)
        assert row.difference == pytest.approx((x - y).mean())
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
        assert (row.n, row.p) == (5, pytest.approx(test.pvalue))
        assert row.superiority == pytest.approx(stats.mannwhitneyu(y, x).statistic / 25)
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))


def test_only_shared_seeds_with_a_number_are_compared():
    metrics, runs = study({"GRU": [0.1, 0.2, 0.3, 0.9], "LSTM": [0.2, 0.4, 0.3]})
    metrics.loc[(metrics["cell"] == "LSTM") & (metrics["seed"] == 2), "value"] = np.nan
    row = compare_cells(metrics, runs, "error").iloc[0]
    assert (row["n"], row["difference"]) == (2, pytest.approx(0.15))
    # The third run of the LSTM, which diverged, counts by its score.
    wins = [
        np.sign(a - b) / 2 + 0.5
        for a, b in itertools.product([0.1, 0.2, 0.3, 0.9], [0.2, 0.4, 0.3])
    ]
    assert row["superiority"] == pytest.approx(np.mean(wins))


def test_cells_without_a_shared_number_have_a_row_without_numbers():
    metrics, runs = study({"GRU": [0.1, 0.2], "LSTM": [0.2, 0.4]})
    metrics["value"] = np.nan
    row = compare_cells(metrics, runs, "error").iloc[0]
    assert row["n"] == 0
    assert row[["difference", "low", "high", "p", "p_holm"]].isna().all()
    one = compare_cells(*study({"GRU": [0.1, 0.2]}), "error")
    assert one.empty
    assert {"p_holm", "superiority"} < set(one.columns)


def test_conditions_are_not_mixed():
    both = joined(
        study({"A": [0.1, 0.2], "B": [0.3, 0.1]}),
        study({"A": [0.5, 0.6], "B": [0.2, 0.2]}, hidden=16),
    )
    table = compare_cells(*both, "error")
    assert table["hidden"].tolist() == [8, 16]
    assert table["difference"].tolist() == pytest.approx([0.05, -0.35])


def test_over_tasks_scores_are_relative_to_the_best_cell():
    _, runs = joined(
        study({"A": [0.2, 0.2], "B": [0.4, 0.4]}),
        study({"A": [3.0, 3.0], "B": [1.5, 1.5]}, length=50),
    )
    table = over_tasks({"mine": runs}).set_index("cell")
    # A: 0.5 0.5 1 1; the middle half is 0.5 and 1.
    assert table["iqm"].to_dict() == pytest.approx({"A": 0.75, "B": 0.75})
    assert set(table["conditions"]) == {2}
    assert set(table["runs"]) == {4}
    assert (table["low"] <= table["iqm"]).all()
    assert (table["iqm"] <= table["high"]).all()


def test_over_tasks_a_cell_with_sizes_of_its_own_is_left_out():
    _, runs = joined(
        study({"A": [1.0], "B": [2.0], "C": [3.0]}), study({"ESN": [5.0]}, hidden=1000)
    )
    table = over_tasks({"mine": runs})
    assert table["cell"].tolist() == ["A", "B", "C"]
    assert set(table["conditions"]) == {1}


def test_over_several_studies_the_cells_of_all_are_compared():
    _, first = study({"A": [1.0, 1.2, 0.8], "B": [0.5, 0.6, 0.4], "C": [0.1, 0.1, 0.1]})
    _, second = study({"A": [1.0, 1.1, 1.2], "B": [3.0, 3.5, 4.0]})
    studies = {"first": first, "second": second}
    table = over_tasks(studies)
    groups = table.groupby("studies", sort=False)["cell"].apply(list).to_dict()
    assert groups == {"first": ["A", "B", "C"], "second": ["A", "B"], "first + second": ["A", "B"]}
    pairs = improvements(studies).set_index(["studies", "cell", "other"])["probability"]
    assert pairs["first", "A", "B"] == 1.0
    assert pairs["second", "A", "B"] == 0.0
    assert pairs["first + second", "A", "B"] == 0.5
    pd.testing.assert_frame_equal(table, over_tasks(studies))


def test_conditions_in_which_nothing_was_learned_say_nothing():
    assert over_tasks({"mine": study({"A": [0.0, 0.0], "B": [0.0, -1.0]})[1]}).empty
    assert improvements({"mine": study({"A": [0.0, 0.0], "B": [0.0, -1.0]})[1]}).empty
