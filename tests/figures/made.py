"""Small tables to draw, and what is read back from the drawn figures."""

import itertools

import numpy as np
import pandas as pd

from rnncells.results.columns import CONFIGURATION
from rnncells.results.published import read_expectations
from rnncells.results.summary import summarise

PROTOCOL = {
    "study": "mine",
    "task": "some_task",
    "seeds": 3,
    "metric": "sequences",
    "chance": 1.0,
    "size_is": "units",
    "solved": None,
    "synthetic": False,
    "training": {"stop_below": 0.1, "threshold": 0.1},
    "published": True,
    "reduced": [],
    "source": "hyperparameters: published",
}
REDUCED = PROTOCOL | {"reduced": ["40 of 300 search configurations", "3 of 5 seeds"]}

SPACE = {
    "p": {"low": 1, "high": 250, "scale": "integer"},
    "lr": {"low": 1e-4, "high": 1.0, "scale": "log"},
    "tau": {"low": 1.0, "high": 100.0, "scale": "log"},
    "connectivity": {"low": 0.0, "high": 1.0, "scale": "linear"},
}


def rows(metric, axis, position, value, **configuration):
    where = {"cell": "GRU", "length": 60, "hidden": 30, "layers": 1, "seed": 0} | configuration
    return pd.DataFrame(
        where | {"metric": metric, "axis": axis, "position": position, "value": value}
    )


def losses(curves, **configuration):
    """Training losses, a seed per curve, and finite final errors."""
    tables = []
    for seed, curve in enumerate(curves):
        steps = range(1, len(curve) + 1)
        tables.append(rows("train_loss", "step", steps, curve, seed=seed, **configuration))
        final = [float(curve[-1])]
        tables.append(rows("final_test_mse", "none", [0], final, seed=seed, **configuration))
    return pd.concat(tables)


def additions(cells=("LSTM", "nBRC"), layers=(1, 2), hidden=(100,), lengths=(20,), seeds=3):
    tables = [
        rows(
            "accuracy",
            "test_length",
            range(3, 61),
            np.linspace(1, 0.5 + 0.1 * seed, 58),
            **dict(zip((*CONFIGURATION, "seed"), (cell, length, size, depth, seed), strict=True)),
        )
        for cell, depth, size, length, seed in itertools.product(
            cells, layers, hidden, lengths, range(seeds)
        )
    ]
    metrics = pd.concat(tables)
    runs = metrics[[*CONFIGURATION, "seed"]].drop_duplicates().assign(diverged=False)
    return metrics, summarise(metrics, runs)


def capacities(sizes, seeds=3, diverged=()):
    """Summary, runs and no published numbers: cell k learns hidden / 10 + k + seed of 40."""
    metrics, runs = [], []
    for k, (cell, hidden) in enumerate(sizes.items()):
        for size, seed in itertools.product(hidden, range(seeds)):
            where = {"cell": cell, "hidden": size, "seed": seed}
            learned = 0 if (cell, seed) in diverged else size / 10 + k + seed
            metrics.append(rows("sequences", "none", [0], learned, **where))
            where |= {"length": 60, "layers": 1, "p": 40.2, "score": 2 * learned - 40}
            runs.append(where | {"diverged": (cell, seed) in diverged})
    runs = pd.DataFrame(runs)
    return summarise(pd.concat(metrics), runs), runs, read_expectations(None)


def scored(values, metric="sequences", **configuration):
    """Metrics and summary of one scalar: a list of values per cell, one per seed."""
    metrics = pd.concat(
        rows(metric, "none", [0], value, cell=cell, seed=seed, **configuration)
        for cell, own in values.items()
        for seed, value in enumerate(own)
    )
    runs = metrics[[*CONFIGURATION, "seed"]].assign(diverged=metrics["value"].isna().to_numpy())
    return metrics, summarise(metrics, runs)


def generated(cells=("GRU",), errors=(0.05, 0.3), hidden=30):
    shape = dict(zip(CONFIGURATION[1:], (60, hidden, 1), strict=True))
    where = [shape | {"cell": cell} for cell in cells]
    examples = [
        {**w, "seed": 0, "sample": k, "step": t, "coordinate": c, "target": t / 60, "prediction": e}
        for w in where
        for k, e in enumerate(errors)
        for t in range(60)
        for c in (0, 1)
    ]
    metrics = [rows("sequence_error", "sequence", range(len(errors)), errors, **w) for w in where]
    return pd.DataFrame(examples), pd.concat(metrics)


def searched(names, on_bound=()):
    """Observations, optimum and surrogate; the pairs are given in alternating order."""
    space = {name: SPACE[name] for name in names}
    values = {name: (s["low"] * s["high"]) ** 0.5 for name, s in space.items()}
    rng = np.random.default_rng(0)
    observations = pd.DataFrame(
        {name: rng.uniform(s["low"], s["high"], 12) for name, s in space.items()}
    ).assign(configuration=range(12), score=[5, 1, 7, *range(9)], seconds=1.0, diverged=0)
    grids = {name: np.linspace(s["low"], s["high"], 6) for name, s in space.items()}
    tables = [
        pd.DataFrame({"x_name": n, "y_name": "", "x": g, "y": np.nan, "mean": g, "sd": 1.0})
        for n, g in grids.items()
    ]
    for k, (a, b) in enumerate(itertools.combinations(names, 2)):
        a, b = (a, b) if k % 2 else (b, a)
        x, y = (part.ravel() for part in np.meshgrid(grids[a], grids[b]))
        # The score depends on the first parameter only.
        mean = x if names.index(a) < names.index(b) else y
        tables.append(
            pd.DataFrame({"x_name": a, "y_name": b, "x": x, "y": y, "mean": mean, "sd": 1.0})
        )
    best = {"values": values, "score": 8.0, "configuration": 11}
    optimum = {"space": space, "values": values, "score": 7.5, "score_sd": 0.5}
    optimum |= {"best_observed": best, "on_bound": list(on_bound)}
    spread = {name: [value, 2 * value] for name, value in values.items()}
    optimum["stability"] = {"refits": 10, "within_two_cells": 7, "range": spread}
    return observations, optimum, pd.concat(tables)


def costs():
    columns = ["study", "rule", "jobs", "seconds_total", "seconds_median", "seconds_max"]
    table = pd.DataFrame([("a", "train", 4, 7200.0, 1800.0, 2000.0)] * 2, columns=columns)
    return table.assign(
        memory_mb_max=[512.4, np.nan],
        seconds_total=[7200.0, 3600.0],
        core_hours=[1.834, np.nan],
    )


def footnote(figure):
    return " ".join(figure.get_supxlabel().split())


def lines(ax, label):
    return [line for line in ax.get_lines() if line.get_label() == label]


def texts(ax):
    return [text.get_text() for text in ax.texts]
