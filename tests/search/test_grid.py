"""A grid: every combination with every seed, and the choice by validation."""

import numpy as np
import pandas as pd
import pytest

from rnncells.search.grid import best_combination, try_grid
from rnncells.study.models import RunSpec
from rnncells.training.loop import train
from tests import tiny

SPEC = RunSpec(
    task="copy_first_input",
    cell="GRU",
    length=5,
    hidden_size=8,
    training=tiny.SETTINGS["copy_first_input"],
    device="cpu",
)


def table(*scores):
    """Return the table of combinations with these validation scores of their seeds."""
    rows = [(k, s, value) for k, of in enumerate(scores) for s, value in enumerate(of)]
    return pd.DataFrame(rows, columns=["combination", "seed", "validation_score"])


def test_the_best_mean_validation_score_decides():
    assert best_combination(table([0.1, 0.9], [0.6, 0.6], [0.5, 0.5])) == 1
    assert best_combination(table([0.5, 0.5], [0.5, 0.5])) == 0
    # One very good seed beside a diverged one is no good choice; several diverged ones are worse.
    nan = np.nan
    assert best_combination(table([nan, 0.9], [0.1, 0.2], [nan, nan])) == 1
    assert best_combination(table([nan, nan], [nan, 0.2])) == 1


def test_a_grid_is_one_population_of_what_would_be_trained_alone():
    combinations = [{"lr": 0.001}, {"lr": 0.03}]
    found, _ = try_grid(SPEC, combinations, [0, 1, 2])
    assert found["lr"].tolist() == [0.001] * 3 + [0.03] * 3
    assert found["seed"].tolist() == [0, 1, 2] * 2
    alone = train(SPEC, [1], [{"lr": 0.03}], validate=True)
    row = found[(found["lr"] == 0.03) & (found["seed"] == 1)].iloc[0]
    assert row["validation_score"] == pytest.approx(alone.validation[0], rel=1e-3)
    metric = alone.metrics[alone.metrics["metric"] == "final_test_mse"]["value"].item()
    assert row["final_test_mse"] == pytest.approx(metric, rel=1e-3)
    assert best_combination(found) == 1


def test_the_test_data_have_no_say():
    """Whatever they are: nothing of the choice is read from their columns."""
    found, _ = try_grid(SPEC, [{"lr": 0.001}, {"lr": 0.03}], [0, 1])
    found["final_test_mse"] = [0.0, 0.0, 9.0, 9.0]
    assert best_combination(found) == 1
