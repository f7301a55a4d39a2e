"""The studies that are disturbed: one per task, small, with every rule of the workflow.

Jobs come hundreds of times. Each training lasts some tenths of a second: long enough for several
checkpoints, and for a signal to find it at work. The searched cell is the one with the fewest
hyperparameters, because a search, and its figure, take longer with each.
"""

CONFIG = {
    "device": "cpu",
    "checkpoint_seconds": 0.1,
    "studies": {
        "copy": {
            "task": "copy_first_input",
            "cells": ["GRU"],
            "lengths": [5],
            "hidden_sizes": [6],
            "layers": [2],
            "seeds": 2,
            "training": {"train_sequences": 1000, "test_sequences": 200, "epochs": 30},
        },
        "addition": {
            "task": "binary_addition",
            "cells": ["nBRC"],
            "lengths": [5],
            "hidden_sizes": [6],
            "seeds": 2,
            "hyperparameters": {"source": "grid", "grid": {"lr": [0.01, 0.001]}},
            "training": {
                "samples_per_epoch": 10000,
                "epochs_per_length": 1,
                "test_length": 6,
                "test_samples": 50,
            },
        },
        "capacity": {
            "task": "trajectory_generation",
            "cells": ["sRNN"],
            "lengths": [10],
            "hidden_sizes": [6],
            "seeds": 2,
            # More than a megabyte: larger than the files that Snakemake compares by default.
            "data": {"trajectories": 40, "points": 2000, "via_points": [3, 5]},
            "hyperparameters": {
                "source": "search",
                "search": {
                    "configurations": 5,
                    "initial": 3,
                    "batch": 2,
                    "space": {"p": [1, 6]},
                },
            },
            "training": {"iterations": 300},
        },
    },
}
