"""The scorecard: every verdict by its rule, from runs whose numbers are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, ttest_rel

from rnncells.random.streams import stream
from rnncells.results.scorecard import COLUMNS, VERDICTS, Study, compare, measured
from rnncells.results.scorecard_page import page

PUBLISHED = Path(__file__).parents[2] / "src/rnncells/published"
CLAIMS = pd.read_csv(PUBLISHED / "claims.csv")
NORMAL = np.array([-1.5, -0.5, 0.0, 0.5, 1.5])


def claim(**given):
    row = dict.fromkeys(CLAIMS.columns, np.nan) | {
        "claim": "c",
        "task": "binary_addition",
        "cell": "GRU",
        "length": 20,
        "hidden_size": 100,
        "layers": 1,
        "metric": "accuracy",
        "position": 60,
        "kind": "value",
        "value": 0.6,
        "error": 0.01,
        "statement": "GRU is right",
        "source": "a paper",
        "read": "figure",
    }
    return row | given


def runs(cell, values, metric="accuracy", position=60, **axes):
    axes = {"cell": cell, "length": 20, "hidden": 100, "layers": 1} | axes
    given = {"metric": metric, "position": position}
    return pd.DataFrame([{**axes, **given, "seed": k, "value": v} for k, v in enumerate(values)])


def study(*tables, departures=None, task="binary_addition"):
    metrics = pd.concat(tables)
    axes = ["cell", "length", "hidden", "layers"]
    made = metrics[axes].drop_duplicates().assign(rule="train", seconds=60.0)
    aggregate = made.assign(rule="aggregate", seconds=1e6)
    return Study(task, metrics, pd.concat([made, aggregate]), departures or {}, "as told")


def verdicts(claims, **studies):
    table = compare(pd.DataFrame(claims), studies)
    assert list(table.columns) == COLUMNS
    assert set(table["verdict"]) <= set(VERDICTS)
    return table


def one(given, *tables, **options):
    return verdicts([given], s=study(*tables, **options)).iloc[0]


def test_a_number_within_the_interval_is_reproduced():
    row = one(claim(), runs("GRU", 0.6 + 0.005 * NORMAL))
    assert (row["verdict"], row["n"], row["seconds"]) == ("reproduced", 5, 60.0)
    assert row["ours"] == pytest.approx(0.6)
    half = 2.7764451 * np.std(0.005 * NORMAL, ddof=1) / 5**0.5  # t(0.975, 4)
    assert (row["low"], row["high"]) == pytest.approx((0.6 - half, 0.6 + half))
    assert (row["study"], row["conditions"]) == ("s", "as told")


@pytest.mark.parametrize(
    ("centre", "spread", "seeds", "verdict"),
    [
        (0.611, 0.001, 5, "reproduced"),  # the reading error reaches it
        (0.65, 0.001, 5, "different"),
        (0.65, 0.2, 5, "undecided"),  # the interval is as wide as everything
        (0.6, 0.001, 2, "undecided"),
    ],
)
def test_a_number_is_judged_by_error_and_interval(centre, spread, seeds, verdict):
    row = one(claim(), runs("GRU", (centre + spread * NORMAL)[:seeds]))
    assert row["verdict"] == verdict


@pytest.mark.parametrize(("lstm", "verdict"), [(0.5, "ordering only"), (0.9, "different")])
def test_another_number_on_the_published_side_of_all_cells_keeps_the_order(lstm, verdict):
    claims = [
        claim(),
        claim(claim="d", cell="LSTM", value=0.48),
        claim(claim="e", cell="nBRC", value=0.995),
        claim(claim="f", cell="BRC", value=0.605),  # a tie within the errors
    ]
    tables = [runs("GRU", 0.7 + 0.001 * NORMAL), runs("BRC", 0.5 + 0.001 * NORMAL)]
    tables += [runs("LSTM", lstm + 0.001 * NORMAL), runs("nBRC", 0.99 + 0.001 * NORMAL)]
    assert verdicts(claims, s=study(*tables)).iloc[0]["verdict"] == verdict


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        ("above", [0.99, 0.995, 1.0, 1.0, 0.2], "reproduced"),
        ("above", [0.99, 0.995, 1.0, 0.3, 0.2], "undecided"),
        ("above", [0.1, 0.2, 0.3, 0.2, 1.0], "different"),
        ("below", [0.1, 0.2, 0.3], "reproduced"),
        ("below", [0.1, 0.2], "undecided"),
    ],
)
def test_a_bound_is_a_statement_about_single_runs(kind, values, verdict):
    row = one(claim(kind=kind, value=0.99, error=0.005), runs("GRU", values))
    assert row["verdict"] == verdict
    sign = 1 if kind == "above" else -1
    kept = sum(sign * (v - 0.99) > -0.005 for v in values)
    assert row["ours"] == pytest.approx(kept / len(values))
    assert row["low"] <= row["ours"] <= row["high"]


@pytest.mark.parametrize(
    ("kind", "shift", "verdict"),
    [
        ("higher", 0.2, "reproduced"),
        ("higher", -0.2, "different"),
        ("higher", 0.001, "undecided"),
        ("lower", -0.2, "reproduced"),
        ("lower", 0.2, "different"),
    ],
)
def test_an_order_is_judged_on_shared_seeds(kind, shift, verdict):
    noise = 0.05 * stream(0, "scorecard test").standard_normal(5)
    first, second = 0.5 + noise, 0.5 + noise - shift + 0.02 * NORMAL
    row = one(claim(kind=kind, other="LSTM"), runs("GRU", first), runs("LSTM", [*second, 0.0]))
    assert (row["verdict"], row["n"]) == (verdict, 5)
    interval = ttest_rel(first, second).confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["seconds"] == 120.0


def ranked(means, seeds=4, spread=0.01):
    noise = spread * stream(1, "scorecard test").standard_normal((len(means), seeds))
    return [runs(f"C{k}", mean + noise[k]) for k, mean in enumerate(means)]


RANK = [claim(claim=f"v{k}", cell=f"C{k}", value=k / 10) for k in range(6)]
RANK += [claim(claim="r", cell=np.nan, kind="rank", value=0.75, error=np.nan)]


@pytest.mark.parametrize(
    ("means", "verdict"),
    [
        ([0, 0.1, 0.2, 0.3, 0.4, 0.5], "reproduced"),
        ([0.1, 0, 0.2, 0.4, 0.3, 0.5], "ordering only"),  # two pairs of fifteen
        ([0.5, 0.4, 0.3, 0.2, 0.1, 0], "different"),
    ],
)
def test_a_ranking_is_judged_by_kendalls_tau(means, verdict):
    row = verdicts(RANK, s=study(*ranked(means))).iloc[-1]
    assert row["verdict"] == verdict
    assert row["ours"] == pytest.approx(kendalltau(range(6), means).statistic)
    assert row["low"] <= row["ours"] <= row["high"]
    assert (row["n"], row["seconds"], row["why"]) == (4, 360.0, "6 of 6 cells")


def test_noise_widens_the_interval_of_a_ranking():
    tight, wide = (
        verdicts(RANK, s=study(*ranked([0, 0.1, 0.2, 0.3, 0.4, 0.5], spread=s))).iloc[-1]
        for s in (0.001, 0.3)
    )
    assert (tight["low"], tight["high"]) == pytest.approx((1.0, 1.0))
    assert wide["low"] < 0.9


def test_what_departs_from_the_protocol_is_not_compared():
    departures = {"GRU": {"epochs_per_length": "epochs_per_length 6, published 15"}}
    row = one(claim(), runs("GRU", 0.6 + 0.001 * NORMAL), departures=departures)
    assert (row["verdict"], row["why"]) == ("not comparable", "epochs_per_length 6, published 15")
    assert row["ours"] == pytest.approx(0.6)


def test_the_study_nearest_to_the_protocol_counts_and_then_the_one_of_most_seeds():
    departures = {"GRU": {"batch_size": "batch_size 1, published 200"}}
    small = study(runs("GRU", 0.6 + 0.001 * NORMAL), departures=departures)
    few, many = (study(runs("GRU", 0.6 + 0.001 * NORMAL[:n])) for n in (3, 4))
    table = verdicts([claim()], small=small, few=few, many=many)
    assert (table["study"][0], table["n"][0]) == ("many", 4)


def test_what_has_not_been_run_is_named():
    claims = [claim(), claim(layers=2), claim(task="copy_first_input"), claim(position=61)]
    table = verdicts(claims, s=study(runs("GRU", 0.6 + 0.001 * NORMAL)))
    assert list(table["verdict"]) == ["reproduced", "not run", "not run", "not run"]
    assert (verdicts(claims)["verdict"] == "not run").all()  # nothing at all has been run


def test_a_claim_can_be_excluded():
    given = claim(excluded="the file is a copy")
    row = one(given, runs("GRU", 0.6 + 0.001 * NORMAL))
    assert (row["verdict"], row["why"]) == ("not comparable", "the file is a copy")


def losses(values, length=100, final=0.5):
    table = runs("GRU", [0.0] * 0, length=length)
    rows = [
        {"seed": k, "metric": "train_loss", "position": step + 1, "value": value}
        for k, seed in enumerate(values)
        for step, value in enumerate(seed)
    ]
    rows += [
        {"seed": k, "metric": "final_test_mse", "position": 0, "value": final}
        for k in range(len(values))
    ]
    axes = {"cell": "GRU", "length": length, "hidden": 100, "layers": 2}
    return pd.concat([table, pd.DataFrame(rows).assign(**axes)])


def test_the_loss_at_a_step_is_a_moving_average():
    seed = stream(2, "scorecard test").random(300)
    table = losses([seed])
    assert measured(table, "loss", 250)[0] == pytest.approx(seed[150:250].mean())
    short = measured(losses([seed], length=5), "loss", 250)[0]
    assert short == pytest.approx(seed[230:250].mean())
    averages = [seed[k - 100 : k].mean() for k in range(100, 251)]
    assert measured(table, "least_loss", 250)[0] == pytest.approx(min(averages))
    assert measured(table, "loss", 50).empty  # there is no whole window


@pytest.mark.parametrize(("final", "known"), [(0.05, True), (0.5, False)])
def test_only_a_seed_that_has_reached_its_goal_keeps_its_last_loss(final, known):
    values = measured(losses([np.ones(150)], final=final), "loss", 200)
    assert len(values) == known


def test_claims_about_a_step_do_not_ask_for_all_epochs():
    given = claim(task="copy_first_input", length=100, layers=2, metric="loss", position=150)
    departures = {"GRU": {"epochs": "epochs 12, published 60"}}
    tables = losses([np.full(200, 0.6 + 0.001 * x) for x in NORMAL])
    row = one(given, tables, departures=departures, task="copy_first_input")
    assert row["verdict"] == "reproduced"


# The claims and the page


def test_the_claims_are_complete():
    assert len(CLAIMS) >= 40
    assert CLAIMS["claim"].is_unique
    assert set(CLAIMS["task"]) == {"copy_first_input", "binary_addition", "trajectory_generation"}
    needed = ["length", "hidden_size", "layers", "metric", "position", "statement", "source"]
    assert CLAIMS[needed].notna().all().all()
    assert set(CLAIMS["read"]) <= {"table", "file", "figure", "text"}
    assert set(CLAIMS["kind"]) == {"value", "above", "below", "higher", "lower", "rank"}
    numeric = CLAIMS["kind"].isin(["value", "above", "below"])
    assert CLAIMS.loc[numeric, ["value", "error"]].notna().all().all()
    assert (CLAIMS.loc[numeric, "error"] > 0).all()
    orders = CLAIMS["kind"].isin(["higher", "lower"])
    assert CLAIMS.loc[orders, "other"].notna().all()
    assert CLAIMS["doubt"].notna().any()


def test_the_capacity_claims_are_the_published_optima():
    optima = pd.read_csv(PUBLISHED / "capacity_optima.csv").query("kind == 'surrogate_optimum'")
    claims = CLAIMS.query("metric == 'sequences' and kind == 'value' and read == 'file'")
    both = claims.merge(optima, on=["cell", "hidden_size"], suffixes=("", "_published"))
    assert len(both) == len(claims) == len(optima)
    np.testing.assert_allclose(both["value"], both["sequences"], atol=0.005)
    published = dict(zip(zip(claims["cell"], claims["hidden_size"], strict=True), claims["value"],
                         strict=True))  # fmt: skip
    for row in CLAIMS.query("metric == 'sequences' and kind == 'higher'").itertuples():
        assert published[row.cell, row.hidden_size] > published[row.other, row.hidden_size]
    assert list(CLAIMS[CLAIMS["excluded"].notna()]["claim"]) == ["capacity-60-PC-RNN-V"]


def test_the_page_says_everything():
    claims = [
        claim(),
        claim(claim="d", statement="a | b is missing", layers=2, doubt="It looks wrong."),
    ]
    text = page(verdicts(claims, s=study(runs("GRU", 0.6 + 0.001 * NORMAL))), "scorecard.png")
    assert "2 published claims; 1 can be looked at with what has been run: 1 reproduced." in text
    assert "| GRU is right | 0.6 ± 0.01 | 0.6 [0.599, 0.601] | 5 | reproduced |  | 60 s |" in text
    assert "* a | b is missing" in text
    assert "make figures CONFIG=config/paper.yaml" in text
    assert "* It looks wrong." in text
    assert "![Scorecard](./scorecard.png)" in text
    assert "How a verdict is reached" in text
