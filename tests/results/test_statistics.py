"""The statistics against closed forms."""

import time

import numpy as np
import pandas as pd
import pytest

from rnncells.results.statistics import (
    CONFIGURATION,
    GROUP,
    bootstrap,
    mean,
    standard_error,
    summarise,
)


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


def test_bootstrap_of_two_values_is_their_range():
    # The means are a, (a + b) / 2 and b with probabilities 1/4, 1/2, 1/4.
    row = one([3.0, 7.0])
    assert (row["low"], row["high"]) == (3.0, 7.0)


def test_bootstrap_of_three_binary_values():
    # P(no 1 in three draws) = 8/27, P(three) = 1/27 = 0.037 > 0.025: the interval is 0 to 1.
    row = one([0.0, 0.0, 1.0])
    assert (row["low"], row["high"]) == (0.0, pytest.approx(1.0))


def test_bootstrap_of_ten_values_with_one_success():
    # The count of ones is binomial(10, 0.1): P(<= 2) = 0.930, P(<= 3) = 0.987.
    row = one([0.0] * 9 + [1.0])
    assert (row["low"], row["high"]) == (0.0, pytest.approx(0.3))


def test_bootstrap_approaches_the_normal_interval():
    values = np.random.default_rng(1).normal(5.0, 2.0, (1, 400))
    low, high = bootstrap(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert low[0] == pytest.approx(values.mean() - half, abs=0.04 * half)
    assert high[0] == pytest.approx(values.mean() + half, abs=0.04 * half)


def test_bootstrap_is_scipys():
    from scipy.stats import bootstrap as scipys

    values = np.random.default_rng(2).exponential(1.0, 20)
    theirs = scipys(
        (values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    low, high = bootstrap(values[None])
    width = theirs.high - theirs.low
    assert low[0] == pytest.approx(theirs.low, abs=0.04 * width)
    assert high[0] == pytest.approx(theirs.high, abs=0.04 * width)


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
    columns = [*GROUP, "mean", "sem", "low", "high", "n", "diverged"]
    assert list(summarise(metrics, runs_of(metrics)).columns) == columns
    empty = summarise(metrics[:0], runs_of(metrics)[:0])
    assert list(empty.columns) == columns
    assert empty.empty


def test_rows_are_computed_one_by_one():
    values = np.random.default_rng(5).random((600, 5))
    low, high = bootstrap(values)
    assert (low < mean(values)).all()
    assert (mean(values) < high).all()
    assert bootstrap(values[599:])[0][0] == pytest.approx(low[599], rel=1e-12)
    assert standard_error(values)[7] == pytest.approx(values[7].std(ddof=1) / np.sqrt(5))


def test_thousands_of_groups_take_seconds():
    values = np.random.default_rng(6).random((3000, 10))
    start = time.perf_counter()
    bootstrap(values)
    assert time.perf_counter() - start < 10
