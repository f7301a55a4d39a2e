"""The tasks, one file each: data, loss, metric, chance level, and what a figure needs to know.

Importing this package does not import PyTorch, so that the workflow can look tasks up cheaply.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Task

#: Name of each task and its class.
TASKS = {
    "copy_first_input": "CopyFirstInput",
    "binary_addition": "BinaryAddition",
    "trajectory_generation": "TrajectoryGeneration",
}

#: The figures of each task, by the name of the function that draws them.
FIGURES = {
    "copy_first_input": ("training_loss",),
    "binary_addition": ("accuracy",),
    "trajectory_generation": ("capacity", "trajectories"),
}


def task_class(name: str) -> "type[Task]":
    """Return the class of the task called ``name``."""
    return getattr(importlib.import_module(f".{name}", __name__), TASKS[name])
