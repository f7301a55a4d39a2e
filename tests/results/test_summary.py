"""The summary over seeds against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rnncells.results.columns import CONFIGURATION
from rnncells.results.statistics import SUMMARY
from rnncells.results.summary import GROUP, solved, summarise


def table(values, metric="accuracy", position=0, **configuration):
    """Metric rows of one group, one seed per value."""
    where = {"cell": "GRU", "length": 20, "hidden": 100, "layers": 1} | configuration
    rows = {"seed": range(len(values)), "value": np.asarray(values, float)}
    return pd.DataFrame(where | {"metric": metric, "axis": "none", "position": position} | rows)


def runs_of(metrics, diverged=()):
    runs = metrics[[*CONFIGURATION, "seed"]].drop_duplicates()
    return runs.assign(diverged=[tuple(row) in diverged for row in runs[["cell", "seed"]].values])


def one(values, **configuration):
    metrics = table(values, **configuration)
    summary = summarise(metrics, runs_of(metrics))
    assert len(summary) == 1
    return summary.iloc[0]


def test_mean_and_standard_error():
    row = one([1.0, 2.0, 4.0, 9.0])
    assert row["mean"] == 4.0
    # deviations -3 -2 0 5: variance 38 / 3, over 4 seeds
    assert row["sem"] == pytest.approx(np.sqrt(38 / 3 / 4))
    assert row["n"] == 4


def test_the_interval_of_a_mean_is_students():
    values = [1.0, 2.0, 4.0, 9.0]
    row = one(values)
    low, high = stats.t.interval(0.95, 3, loc=4.0, scale=stats.sem(values))
    assert (row["low"], row["high"], row["interval"]) == (
        pytest.approx(low),
        pytest.approx(high),
        "t",
    )


def test_solved_is_counted_and_has_the_exact_interval():
    metrics = pd.concat(
        [table([0.05, 0.2, 0.01], "error"), table([0.5, np.nan, 0.0], "error", cell="LSTM")]
    )
    runs = runs_of(metrics, {("LSTM", 1)})
    rows = solved(metrics, runs, ("error", "below", 0.1))
    summary = (
        summarise(pd.concat([metrics, rows]), runs).query("metric == 'solved'").set_index("cell")
    )
    for cell, count in (("GRU", 2), ("LSTM", 1)):
        row = summary.loc[cell]
        assert (row["mean"], row["n"], row["interval"]) == (pytest.approx(count / 3), 3, "binomial")
        assert np.isnan(row["sem"])
        # Clopper and Pearson's bounds are quantiles of beta distributions.
        bounds = stats.beta.ppf([0.025, 0.975], [count, count + 1], [3 - count + 1, 3 - count])
        assert (row["low"], row["high"]) == pytest.approx(tuple(bounds))


def test_solved_looks_at_the_last_position_and_at_the_right_side():
    metrics = pd.concat([table([0.99, 0.99], position=3), table([0.95, 0.2], position=60)])
    rows = solved(metrics, runs_of(metrics), ("accuracy", "above", 0.9))
    assert rows["value"].tolist() == [1.0, 0.0]
    assert set(rows["metric"]) == {"solved"}
    assert rows[[*CONFIGURATION, "seed"]].drop_duplicates().shape == (2, 5)
    assert solved(metrics, runs_of(metrics), None).empty


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.0, -7.3])
def test_equal_values_give_no_interval(value):
    row = one([value] * 7)
    assert row["mean"] == row["low"] == row["high"] == value
    assert row["sem"] == 0.0


def test_one_seed_has_a_mean_only():
    row = one([0.25])
    assert row["mean"] == 0.25
    assert row["n"] == 1
    assert np.isnan([row["sem"], row["low"], row["high"]]).all()


def test_values_that_are_not_finite_are_left_out_and_divergence_is_counted():
    metrics = pd.concat([table([1.0, np.nan, 3.0, np.inf]), table([5.0, 6.0], cell="LSTM")])
    runs = runs_of(metrics, {("GRU", 1), ("GRU", 3)})
    gru, lstm = summarise(metrics, runs).to_dict("records")
    assert (gru["mean"], gru["n"], gru["diverged"]) == (2.0, 2, 2)
    assert (lstm["mean"], lstm["n"], lstm["diverged"]) == (5.5, 2, 0)


def test_a_configuration_that_only_diverged_stays_in_the_table():
    metrics = table([np.nan, np.nan])
    row = summarise(metrics, runs_of(metrics, {("GRU", 0), ("GRU", 1)})).iloc[0]
    assert (row["n"], row["diverged"]) == (0, 2)
    assert np.isnan([row["mean"], row["sem"], row["low"], row["high"]]).all()


def test_divergence_is_counted_within_its_configuration():
    metrics = pd.concat([table([1.0, 2.0], hidden=30), table([1.0, 2.0], hidden=60)])
    runs = runs_of(metrics).assign(diverged=lambda t: (t["hidden"] == 60) & (t["seed"] == 1))
    summary = summarise(metrics, runs)
    assert dict(zip(summary["hidden"], summary["diverged"], strict=True)) == {30: 0, 60: 1}


def test_long_metrics_are_left_out():
    metrics = pd.concat(
        [table([1.0], metric=name) for name in ("train_loss", "sequence_error", "sequences")]
    )
    assert list(summarise(metrics, runs_of(metrics))["metric"]) == ["sequences"]


def test_neither_the_order_of_rows_nor_other_groups_change_a_group():
    rng = np.random.default_rng(4)
    metrics = pd.concat([table(rng.random(n), position=k) for k, n in enumerate((5, 3, 5, 1))])
    runs = runs_of(metrics)
    whole = summarise(metrics, runs)
    shuffled = summarise(metrics.sample(frac=1, random_state=0), runs)
    pd.testing.assert_frame_equal(whole, shuffled)
    alone = summarise(metrics[metrics["position"] == 2], runs)
    pd.testing.assert_frame_equal(alone, whole[whole["position"] == 2].reset_index(drop=True))


def test_columns_and_an_empty_table():
    metrics = table([1.0, 2.0])
    own = [column for names in SUMMARY for column in names]
    assert {"mean", "sem", "low", "high"} <= set(own)  # which figures draw
    columns = [*GROUP, *own, "interval", "n", "diverged"]
    assert list(summarise(metrics, runs_of(metrics)).columns) == columns
    empty = summarise(metrics[:0], runs_of(metrics)[:0])
    assert list(empty.columns) == columns
    assert empty.empty
