"""What jobs take at least: refused where it cannot be had, and said beforehand."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from rnncells.study.forecast import forecast, lines, too_large
from rnncells.study.plan import PUBLISHED, resolve
from rnncells.study.read import read
from rnncells.study.validation import ConfigError
from rnncells.tasks import task_class

ROOT = Path(__file__).parents[2]
ENOUGH = {"train": 4000, "search": 4000}
SEARCH = {"source": "search", "search": {"configurations": 20, "batch": 2}}


def study(**keys) -> dict:
    few = {"train_sequences": 1000, "test_sequences": 100, "epochs": 2}
    plan = {"task": "copy_first_input", "cells": ["GRU"], "lengths": [20], "hidden_sizes": [10]}
    return resolve({"studies": {"a": plan | {"training": few, "seeds": 2} | keys}}, PUBLISHED)


def capacity(**keys) -> dict:
    own = {"task": "trajectory_generation", "training": {}, "hyperparameters": SEARCH}
    return study(**(own | keys))


@pytest.mark.parametrize("keys", [{"lengths": [20, 1_000_000]}, {"hidden_sizes": [1_000_000]}])
def test_memory_that_cannot_be_had_is_refused_in_one_line(keys):
    assert too_large(forecast(study()), ENOUGH) is None
    line = too_large(forecast(study(**keys)), ENOUGH)
    assert line.startswith("studies.a: a train job of GRU with ")
    assert "1,000,000" in line
    assert "allowed: 4,000 MB" in line
    assert "\n" not in line
    assert too_large(forecast(study(**keys)), ENOUGH | {"train": float("inf")}) is None


def test_the_memory_is_a_lower_bound_that_grows_with_what_is_kept():
    """The states of all steps of a batch, and their gradients, in float32."""
    short, long = (forecast(study(lengths=[length]))[0].memory_mb for length in (100, 1100))
    per_step = 2 * 100 * 10 + 1100  # batch x units, and a number of every sequence of the data
    assert long - short == pytest.approx(2 * 4 * 1000 * per_step / 1e6)


def test_the_configurations_of_this_repository_are_allowed_and_described():
    for file in sorted((ROOT / "config").glob("*.yaml")):
        plan = resolve(read(file), PUBLISHED)
        found = forecast(plan)
        assert too_large(found, ENOUGH) is None
        said = lines(plan, found)
        for study in plan:
            assert any(re.match(f"{study}: [0-9,]+ (train|search) jobs?; ", line) for line in said)


PROBLEMS = get_args(task_class("cogscale").Settings.model_fields["problem"].annotation)


@pytest.mark.parametrize(
    ("task", "length", "settings"),
    [
        *(("cogscale", None, {"problem": name, "difficulty": "small"}) for name in PROBLEMS),
        ("denoising", 30, {"train_sequences": 70, "validation_sequences": 9, "test_sequences": 8}),
        ("sequential_digits", 70, {}),
    ],
)
def test_labelled_sequences_are_as_many_as_foretold(task, length, settings):
    """The numbers of sequences are right, and what they hold is a lower bound."""
    task = task_class(task)
    settings = task.Settings(**settings)
    data = task.Data() if task.Data else None
    length = length or task.own_lengths(settings)[0]
    work = task.workload(length, settings, data, {})
    made = task(length, [0], [{}], settings, torch.device("cpu"), data.make() if data else None)
    x = made.batch(0).x
    assert work.iterations == made.steps
    assert work.sequences == x.size(2)
    assert x.size(1) / 3 < work.steps <= x.size(1)
    kept = sum(part[0].numel() for part in made.parts.values())
    assert kept / 50 < work.numbers <= kept


@pytest.mark.parametrize(
    ("keys", "sequences", "steps", "iterations"),
    [({"batch_size": 7, "iterations": 30}, 7, 40, 30), ({"epochs": 3}, 1, 40, 3), ({}, 1, 40, 1)],
)
def test_a_task_of_ones_own_is_foretold_from_its_settings(
    keys, sequences, steps, iterations, monkeypatch, tmp_path
):
    """They need not say more than their settings: README's task does not."""
    fields = "".join(f"        {key}: int = {value}\n" for key, value in keys.items())
    (tmp_path / f"mine{len(keys)}.py").write_text(OWN + (fields or "        pass\n"))
    monkeypatch.syspath_prepend(tmp_path)
    plan = study(task=f"mine{len(keys)}:Own", lengths=[40], hidden_sizes=[100], training={})
    (job,) = forecast(plan)
    units = 2 * sequences * steps * 100
    assert job.memory_mb == pytest.approx(350 + 4 * 2 * (4 * 100 * 100 + units) / 1e6)
    assert job.seconds == pytest.approx(2 * iterations * 6 * units / 2 * 100 / 200e9)
    assert too_large(forecast(plan), ENOUGH) is None
    large = study(task=f"mine{len(keys)}:Own", lengths=[40], hidden_sizes=[10**6], training={})
    assert "1,000,000 units" in too_large(forecast(large), ENOUGH)


OWN = """
from rnncells.tasks import Task


class Own(Task):
    metric = "error"
    chance = 1.0

    def batch(self, step):
        raise NotImplementedError

    objective = outcome = batch

    class Settings(Task.Settings):
"""


def test_default_bounds_shrink_to_the_data_and_the_plan_says_so(tmp_path):
    np.save(tmp_path / "data.npy", np.random.default_rng(0).standard_normal((12, 40, 2)))
    plan = capacity(cells=["TRNN"], data={"file": str(tmp_path / "data.npy")})
    assert plan["a"].cells["TRNN"].search.space["p"].high == 12
    said = "a: p is searched up to 12, not to 250, because the data set has no more"
    assert said in lines(plan, forecast(plan))
    assert said not in lines(capacity(), forecast(capacity()))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"lengths": [41]}, "studies.a.lengths: 41 is longer than the trajectories; .*, 40"),
        (
            {"hyperparameters": {"values": {"lr": 0.1, "tau": 2, "p": 13}}},
            r"values.p: 13 is not allowed; it must be within 1 and 12",
        ),
        (
            {"hyperparameters": {"source": "search", "search": {"space": {"p": [1, 13]}}}},
            r"search.space.p: 13 is not allowed; it must be within 1 and 12",
        ),
    ],
)
def test_what_a_file_does_not_have_is_refused_at_planning(tmp_path, keys, words):
    np.savez(tmp_path / "data.npz", np.random.default_rng(0).standard_normal((12, 40, 2)))
    with pytest.raises(ConfigError, match=words):
        capacity(cells=["TRNN"], data={"file": str(tmp_path / "data.npz")}, **keys)


@pytest.mark.parametrize("cell", ["GRU", "TRNN"])
def test_a_missing_rate_is_not_reported_as_a_parameter_too_many(cell):
    with pytest.raises(ConfigError, match=rf"{cell} needs a value for 'lr'; given: p, tau$"):
        capacity(cells=[cell], hyperparameters={"values": {"p": 3, "tau": 2}})
