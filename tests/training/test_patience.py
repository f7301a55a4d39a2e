"""Early stopping: the best epoch by the validation score, member by member."""

import numpy as np
import pytest
import torch

from rnncells.study.models import RunSpec
from rnncells.training.loop import assemble, train
from rnncells.training.patience import Patience
from tests import tiny


def test_the_best_epoch_comes_back():
    weights = torch.zeros(3, 2)
    patience = Patience(2, [weights])
    active = torch.ones(3, dtype=torch.bool)
    # Member 0 improves throughout, 1 is best in epoch 1, 2 has never a number.
    scores = [[0.1, 0.5, np.nan], [0.2, 0.4, np.nan], [0.3, 0.5, np.nan]]
    stopped = []
    for epoch, score in enumerate(scores):
        weights[active] = float(epoch + 1)
        out = patience.tell(torch.tensor(score), active)
        stopped.append(out.tolist())
        active &= ~out
    assert stopped == [[False] * 3, [False, False, True], [False, True, False]]
    patience.restore()
    assert weights[:, 0].tolist() == [3.0, 1.0, 2.0]


def validations(result, seed):
    rows = result.metrics
    chosen = rows[(rows["metric"] == "validation_score") & (rows["seed"] == seed)]
    return chosen.set_index("position")["value"]


SPEC = {
    "task": "copy_first_input",
    "cell": "GRU",
    "length": 3,
    "hidden_size": 8,
    "device": "cpu",
}


def spec(**training):
    return RunSpec(**SPEC, training=tiny.SETTINGS["copy_first_input"] | training)


def test_training_stops_and_keeps_its_best_epoch():
    """What is evaluated is what a training of just so many epochs gives."""
    rates = [{"lr": 1.0}, {"lr": 0.001}]
    stopped = train(spec(epochs=30, patience=1), [0, 1], rates, validate=True)
    first, second = validations(stopped, 0), validations(stopped, 1)
    best = int(first.idxmax())
    assert len(first) == best + 1 < 30  # a learning rate this large soon stops improving
    assert stopped.steps[0] == 3 * len(first)
    assert stopped.steps[1] == 3 * len(second)
    assert stopped.validation == pytest.approx([first.max(), second.max()])
    short = train(spec(epochs=best), [0], rates[:1], validate=True)
    assert short.score == pytest.approx(stopped.score[:1])
    assert short.validation == pytest.approx(stopped.validation[:1])


@pytest.mark.parametrize("task", sorted(tiny.SETTINGS))
def test_every_task_has_a_validation_score(task):
    """A number per member, the same at every call."""
    settings = tiny.SETTINGS[task]
    made = RunSpec(
        task=task, cell="GRU", length=tiny.T, hidden_size=8, training=settings, device="cpu"
    )
    member = {"lr": 0.1} | ({"p": 2} if task == "trajectory_generation" else {})
    work, network = assemble(made, [0, 1], [member] * 2, tiny.TRAJECTORIES)
    with torch.no_grad():
        score, again = work.validate(network), work.validate(network)
    assert score.shape == (2,)
    np.testing.assert_array_equal(score, again)


def test_copying_is_validated_on_sequences_of_its_own():
    work, _ = assemble(spec(), [0], [{"lr": 0.1}])
    both = torch.cat([work.train, work.test], 1)
    assert not (work.validation[:, :, None] == both[:, None]).all(-1).any()
