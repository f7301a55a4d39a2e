"""A training of a fraction of a second, and a configuration of one, for tests that need them."""

from rnncells.study.models import RunSpec
from rnncells.tasks.trajectories import synthetic
from rnncells.training.loop import train

SETTINGS = {
    "copy_first_input": {
        "train_sequences": 60,
        "test_sequences": 40,
        "batch_size": 20,
        "epochs": 4,
        "stop_below": 0.0,
    },
    "binary_addition": {
        "first_length": 3,
        "epochs_per_length": 2,
        "samples_per_epoch": 40,
        "batch_size": 20,
        "test_length": 5,
        "test_samples": 50,
    },
    "trajectory_generation": {
        "iterations": 10,
        "threshold": 0.5,
        "initial_state": "fixed",
        "feedback": "none",
        "examples": 2,
    },
}
TRAJECTORIES = synthetic(12, 40, seed=0)
T = 5


def run(
    task,
    cell,
    seeds,
    hyperparameters,
    *,
    options=None,
    length=T,
    hidden_size=8,
    layers=1,
    device="cpu",
    checkpoint=None,
    **more,
):
    """Train with the tiny settings, changed by ``more``."""
    spec = RunSpec(
        task=task,
        cell=cell,
        length=length,
        hidden_size=hidden_size,
        layers=layers,
        options=options or {},
        training=SETTINGS[task] | more,
        device=device,
    )
    return train(spec, seeds, hyperparameters, TRAJECTORIES, checkpoint)


#: The only run of :func:`configuration`.
RUN = "cell=TRNN/length=6/hidden=4/layers=1"


def configuration(**changes):
    """Return a configuration with the study ``tiny``: a TRNN learns trajectories."""
    study = {
        "task": "trajectory_generation",
        "cells": ["TRNN"],
        "lengths": [6],
        "hidden_sizes": [4],
        "seeds": 2,
        "data": {"trajectories": 5, "points": 60, "via_points": [3, 4]},
        "hyperparameters": {"values": {"lr": 0.01, "p": 3}},
        "training": {"iterations": 30},
    }
    return {"device": "cpu", "studies": {"tiny": study | changes}}
