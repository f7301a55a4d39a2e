"""Published means beside ours."""

import numpy as np
import pandas as pd
import pytest

from rnncells.results.baseline import KEY, baseline_section, compare_with_baseline


def ours(values, lr=0.01, cell="GRU", chance=0.9):
    where = {"study": "adding", "cell": cell, "size": "parameters=1000", "lr": lr}
    return pd.DataFrame({"seed": range(len(values)), "value": values, "chance": chance, **where})


def published(mean, sd, lr=0.01, cell="GRU", n=10):
    where = {"study": "adding", "cell": cell, "size": "parameters=1000", "lr": lr}
    return pd.DataFrame([where | {"mean": mean, "sd": sd, "n": n}])


@pytest.mark.parametrize(("difference", "within"), [(0.088, True), (0.091, False), (-0.088, True)])
def test_means_agree_within_two_deviations_of_a_difference_of_ten_seed_means(difference, within):
    values = 0.5 + difference + np.linspace(-0.1, 0.1, 10)
    row = compare_with_baseline(ours(values), published(0.5, 0.1)).iloc[0]
    assert row["limit"] == pytest.approx(2 * 0.1 * np.sqrt(2 / 10))  # 0.0894
    assert row["difference"] == pytest.approx(difference)
    assert row["within"] == within


def test_two_samples_of_one_distribution_agree_in_95_percent():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        theirs = rng.normal(0.4, 0.05, 10)
        mine = ours(rng.normal(0.4, 0.05, 10))
        found.append(compare_with_baseline(mine, published(theirs.mean(), theirs.std(ddof=1))))
    # The published deviation is that of ten runs: Student's t with 9 degrees of freedom.
    assert pd.concat(found)["within"].mean() == pytest.approx(0.923, abs=0.04)


def test_rows_meet_by_cell_size_and_learning_rate_or_none():
    mine = pd.concat(
        [ours([0.5] * 3, np.nan, "ESN"), ours([0.5] * 3, 0.1 * 0.003), ours([0.5] * 2)]
    )
    theirs = pd.concat(
        [published(0.5, 0, np.nan, "ESN"), published(0.4, 0.1, 0.0003), published(0.4, 0.1)]
    )
    table = compare_with_baseline(mine, theirs)
    # Two seeds decide nothing.
    assert table[["cell", "seeds"]].to_numpy().tolist() == [["ESN", 3], ["GRU", 3]]
    assert table["within"].tolist() == [True, True]


def test_a_diverged_run_has_no_part_in_the_mean():
    table = compare_with_baseline(ours([0.5, np.nan, 0.5, 0.5]), published(0.5, 0.01))
    assert table.loc[0, ["ours", "seeds"]].tolist() == [0.5, 3]


def test_the_section_counts_and_names_what_differs():
    mine = pd.concat([ours([0.1, 0.1, 0.9]), ours([0.2, 0.21, 0.19], 0.001)])
    theirs = pd.concat([published(0.02, 0.01), published(0.2, 0.01, 0.001)])
    text = baseline_section(compare_with_baseline(mine, theirs))
    assert "1 of 2 published means (50%) agree with ours: not reproduced" in text
    assert "adding, GRU, parameters=1000, lr 0.01: published 0.02" in text
    assert "some seeds stay at chance level" in text
    assert "lr 0.001:" not in text


def test_nothing_run_is_an_empty_table_and_no_section():
    nothing = compare_with_baseline(
        pd.DataFrame(columns=[*KEY, "seed", "value", "chance"]),
        pd.DataFrame(columns=[*KEY, "mean", "sd", "n"]),
    )
    assert nothing.empty
    assert baseline_section(nothing) == ""
