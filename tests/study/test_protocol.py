"""What figures say of a study's budget."""

from pathlib import Path

import yaml

from rnncells.study.plan import resolve
from rnncells.study.protocol import departures, describe

ROOT = Path(__file__).parents[2]


def protocols(config: dict) -> dict[str, dict]:
    plan = resolve(config, ROOT / "src/rnncells/published")
    return {study: describe(study, part) for study, part in plan.items()}


def protocols_of(name: str) -> dict[str, dict]:
    return protocols(yaml.safe_load((ROOT / "config" / name).read_text()))


def test_what_is_reduced_at_published_size():
    reduced = {name: made["reduced"] for name, made in protocols_of("paper.yaml").items()}
    # The published figure shows 12 epochs of the 60, at three lengths.
    assert reduced == {
        "copy-first-input": ["12 of 60 epochs"],
        "copy-first-input-60-epochs": ["lengths 5, 100, not 5, 100, 300"],
        "binary-addition": [],
        "capacity": [],
    }
    assert protocols_of("searches.yaml")["capacity-searches"]["reduced"] == []


def test_a_borrowed_optimum_is_said():
    made = protocols_of("paper.yaml")["capacity"]
    assert made["source"] == "hyperparameters: published; sRNN, TRNN: those of PC-RNN-V"
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    changed = departures(resolve(config, ROOT / "src/rnncells/published")["capacity"])
    assert changed["sRNN"] == {"hyperparameters": "the published optimum of PC-RNN-V"}
    assert changed["PC-RNN-V"] == {}


def test_the_default_studies_say_what_is_reduced():
    made = protocols_of("config.yaml")
    assert all(p["reduced"] for p in made.values())
    capacity = "; ".join(made["capacity"]["reduced"])
    for fragment in (
        "800 of 3,000 iterations",
        "60 of 250 trajectories",
        "5-9 via points, not 20-32",
        "16 of 300 search configurations",
        "own search bounds of",
        "lengths 20, not 60",
        "hidden sizes 8, 16, not 30, 40, 60",
        "3 of 10 seeds",
    ):
        assert fragment in capacity
    assert "test sequences" in "; ".join(made["copy-first-input"]["reduced"])
    assert made["capacity"]["source"] == "hyperparameters: search"


def test_what_one_cell_has_of_its_own_is_said():
    own = {"hidden_sizes": [50], "hyperparameters": {"source": "search"}}
    study = {
        "task": "copy_first_input",
        "cells": ["GRU", "LSTM"],
        "lengths": [300],
        "hidden_sizes": [100],
        "seeds": 1,
        "per_cell": {"LSTM": own},
    }
    made = protocols({"studies": {"mine": study}})["mine"]
    assert made["source"] == "hyperparameters: config, search"
    assert made["reduced"] == ["hidden sizes 50, not 100"]
