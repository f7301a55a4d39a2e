"""What a search does with a configuration."""

from pathlib import Path

import numpy as np
import pytest

from rnncells.search.trials import tried_configurations
from rnncells.study.models import RunSpec

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        (
            "copy_first_input",
            {"train_sequences": 20, "test_sequences": 10, "epochs": 1, "batch_size": 10}
            | {"stop_below": 0.1},
        ),
        (
            "binary_addition",
            {"first_length": 3, "epochs_per_length": 1, "samples_per_epoch": 10}
            | {"batch_size": 10, "test_length": 5, "test_samples": 10},
        ),
    ],
)
def test_every_task_can_be_searched(task, settings):
    """A search of the learning rate on the tasks that the published studies do not search."""
    spec = RunSpec(task=task, cell="TRNN", length=4, hidden_size=4, training=settings, device="cpu")
    evaluate = tried_configurations(spec)
    values = [{"lr": 0.01, "tau": 2.0}, {"lr": 1e30, "tau": 3.0}]
    good, bad = evaluate(values, [[1, 2], [3, 4]])
    assert len(good.tries) == len(bad.tries) == 2
    assert np.isfinite(good.score)
    assert np.isfinite(good.tries).all()
    assert np.isfinite(bad.score)
    alone = evaluate(values[:1], [[1, 2]])[0]
    assert alone.score == pytest.approx(good.score, rel=1e-4, abs=1e-4)
