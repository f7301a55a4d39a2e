"""Checkpoints: training goes on with exactly the numbers it would have had, or from the start."""

import logging
import os
import signal
from contextlib import suppress
from pickle import UnpicklingError

import numpy as np
import pandas as pd
import pytest
import torch

from rnncells.jobs.interruption import Interrupted, listening
from rnncells.search.journal import Journal
from rnncells.search.loop import search
from rnncells.search.space import Space
from rnncells.search.trials import tried_configurations
from rnncells.study.models import RunSpec
from rnncells.training.checkpoint import Checkpoint
from tests import tiny


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Dying(Checkpoint):
    """A checkpoint whose process dies after a number of steps, with or without writing it."""

    def die_after(self, steps: int, saving: bool = True):
        self.left, self.saving = steps, saving
        return self

    def due(self):
        self.left -= 1
        return self.left == 0

    def save(self, state):
        if self.saving:
            super().save(state)
        raise Interrupted(signal.SIGTERM)


def run(task="copy_first_input", cell="GRU", rates=(0.01, 0.02), checkpoint=None, **more):
    member = {"p": 3} if task == "trajectory_generation" else {}
    members = [{"lr": rate, **member} for rate in rates]
    return tiny.run(task, cell, range(len(rates)), members, checkpoint=checkpoint, **more)


def assert_equal(a, b):
    """Bit by bit, time apart."""
    pd.testing.assert_frame_equal(a.metrics, b.metrics, check_exact=True)
    pd.testing.assert_frame_equal(a.examples, b.examples, check_exact=True)
    for name in ("score", "diverged", "steps"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


# Going on


@pytest.mark.parametrize("steps", [1, 3, 7])
@pytest.mark.parametrize(
    ("task", "cell", "rates", "more"),
    [
        ("copy_first_input", "nBRC", (0.01, 0.02), {}),
        ("copy_first_input", "GRU", (0.01, 1e38), {}),  # the second one diverges
        ("copy_first_input", "GRU", (0.01, 0.3), {"stop_below": 1.01}),  # one stops early
        ("binary_addition", "LSTM", (0.01, 0.02), {}),
        ("trajectory_generation", "PC-RNN-HC-A", (0.01, 0.02), {"initial_state": "learned"}),
    ],
)
def test_a_resumed_training_ends_with_the_same_numbers(tmp_path, task, cell, rates, more, steps):
    whole_run = run(task, cell, rates, **more)
    path, identity = tmp_path / ".checkpoint", {"task": task}
    deaths = 0
    for _ in range(2):
        with suppress(Interrupted):
            run(task, cell, rates, Dying(path, identity).die_after(steps), **more)
            deaths -= 1  # there were fewer steps left
        deaths += 1
    resumed = run(task, cell, rates, Checkpoint(path, identity), **more)
    assert_equal(resumed, whole_run)
    assert resumed.resumed == deaths == (2 if steps < 7 else path.exists())
    assert whole_run.resumed == 0
    assert resumed.seconds > 0


def test_the_numbers_after_the_checkpoint_come_from_it(tmp_path):
    """The test above could not fail if a resumed training began anew."""
    path = tmp_path / ".checkpoint"
    with pytest.raises(Interrupted):
        run(checkpoint=Dying(path, {}).die_after(5))
    steps = []
    checkpoint = Checkpoint(path, {})
    checkpoint.due = lambda: steps.append(1)
    run(checkpoint=checkpoint)
    assert len(steps) == 12 - 5


def test_a_signal_during_the_evaluation_costs_no_step(tmp_path, monkeypatch):
    from rnncells.tasks.copy_first_input import CopyFirstInput

    path, outcome = tmp_path / ".checkpoint", CopyFirstInput.outcome

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return outcome(*arguments)

    with listening():
        monkeypatch.setattr(CopyFirstInput, "outcome", interrupted)
        with pytest.raises(Interrupted):
            run(checkpoint=Checkpoint(path, {}))
    monkeypatch.undo()
    checkpoint = Checkpoint(path, {})
    checkpoint.due = lambda: pytest.fail("a step was made")
    assert_equal(run(checkpoint=checkpoint), run())


def test_the_log_says_where_it_goes_on(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = tmp_path / ".checkpoint"
    with pytest.raises(Interrupted):
        run(checkpoint=Dying(path, {}).die_after(5))
    assert "checkpoint at step 5 of 12" in caplog.text
    run(checkpoint=Checkpoint(path, {}))
    assert "resumed at step 5 of 12" in caplog.text


SPACE = {
    "p": {"low": 1, "high": 5, "scale": "integer", "first": 2},
    "lr": {"low": 1e-3, "high": 0.1, "scale": "log", "first": 0.01},
}


def run_search(folder, checkpoint, configurations=5):
    space, rules = (
        Space(SPACE),
        {"tries": 2, "batch": 2, "initial": 4, "seed": 0, "surrogate": "robust"},
    )
    journal = Journal(folder / "j.csv", space, "sequences", 2, folder / "observations.csv")
    spec = RunSpec(
        task="trajectory_generation",
        cell="TRNN",
        length=5,
        hidden_size=6,
        training=tiny.SETTINGS["trajectory_generation"],
        device="cpu",
    )
    evaluate = tried_configurations(spec, tiny.TRAJECTORIES, checkpoint)
    return search(space, rules, configurations, "sequences", evaluate, journal, checkpoint)


def test_a_search_goes_on_inside_a_configuration(tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    expected = run_search(tmp_path / "whole", None)
    path = tmp_path / ".checkpoint"
    left = 4

    class Killed(Checkpoint):
        """Dies at every fourth step that is made, of whatever configuration."""

        def due(self):
            nonlocal left
            left -= 1
            return left == 0

        def save(self, state):
            super().save(state)
            raise Interrupted(signal.SIGTERM)

        def of(self, **more):
            return Killed(self.path, self.given | more)

    deaths = 0
    while True:
        left = 4
        try:
            found = run_search(tmp_path, Killed(path, {}))
        except Interrupted:
            deaths += 1
        else:
            break
        assert deaths < 20
    assert deaths == 10 * 3 // 4  # no step was made twice: 3 populations of 10 steps
    pd.testing.assert_frame_equal(
        found.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True
    )
    assert [file.name for file in tmp_path.glob(".*")] == []


def test_a_search_that_died_between_journal_and_checkpoint_goes_on(tmp_path, caplog):
    """The checkpoint of a configuration that is in the journal already is of no use."""
    path = tmp_path / ".checkpoint"
    checkpoint = Dying(path, {}).die_after(3)
    checkpoint.of = lambda **more: Dying(path, more).die_after(3)
    with pytest.raises(Interrupted):
        run_search(tmp_path, checkpoint)
    old = path.read_bytes()
    run_search(tmp_path, Checkpoint(path, {}), configurations=2)
    path.write_bytes(old)
    table = run_search(tmp_path, Checkpoint(path, {}))
    assert len(table) == 5
    assert "was made with other configurations, seeds" in caplog.text
    assert not path.exists()


def test_the_time_of_all_processes_is_counted(tmp_path):
    def journal():
        return Journal(tmp_path / "j.csv", Space(SPACE), "p", 1, tmp_path / "observations.csv")

    row = {"configuration": 0, "p": 1, "lr": 0.01, "p_0": 1, "score": 1, "seconds": 1}
    row |= {"diverged": 0}
    with journal() as first:
        first.append([row])
    assert (first.resumed, first.seconds > 0) == (0, True)
    with journal() as second:
        second.append([row | {"configuration": 1}])
    assert second.resumed == 1
    assert second.seconds > first.seconds


# The file


@pytest.fixture
def saved(tmp_path):
    """A checkpoint after 5 of 12 steps."""
    path = tmp_path / ".checkpoint"
    with pytest.raises(Interrupted):
        run(checkpoint=Dying(path, {"a": 1, "b": 2}).die_after(5))
    return path


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
)
def test_a_damaged_checkpoint_is_named_and_ignored(saved, caplog, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    result = run(checkpoint=Checkpoint(saved, {"a": 1, "b": 2}))
    assert f"{saved} ignored because it is damaged" in caplog.text
    assert_equal(result, run())


def test_a_checkpoint_of_something_else_is_named_and_ignored(saved, caplog, monkeypatch):
    monkeypatch.setattr(np, "__version__", "1.0")
    result = run(checkpoint=Checkpoint(saved, {"a": 1, "b": 3, "c": 4}))
    assert f"{saved} ignored because it was made with other b, c, numpy" in caplog.text
    assert result.resumed == 0
    assert_equal(result, run())


def test_nothing_in_a_checkpoint_is_executed(saved, tmp_path):
    checkpoint = Checkpoint(saved, {})
    checkpoint.save({"step": Malicious(str(tmp_path / "executed"))})
    with pytest.raises(UnpicklingError):
        checkpoint.restore()
    assert not (tmp_path / "executed").exists()


def test_the_one_before_stays_until_the_new_one_is_whole(saved, monkeypatch, caplog):
    before = saved.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    Checkpoint(saved, {}).save({"step": 7})
    assert "no new checkpoint could be written" in caplog.text
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def test_a_finished_job_leaves_no_file(saved):
    leftover = saved.with_name(f".{saved.name}.1234abcd.part")
    leftover.write_bytes(b"half")
    other = saved.with_name("metrics.parquet")
    other.write_bytes(b"result")
    Checkpoint(saved, {}).remove()
    assert list(saved.parent.iterdir()) == [other]
