"""What n seeds can show: the numbers of docs/seeds.md, by simulation and by closed forms.

python docs/examples/seeds.py
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import stats

from rnncells.random.streams import stream
from rnncells.results.statistics import (
    binomial_interval,
    bootstrap_improvement,
    bootstrap_interquartile_mean,
    holm,
    interquartile_mean,
    t_interval,
)

PAGE = Path(__file__).parents[1] / "seeds.md"
SEEDS, TASKS, CELLS = (3, 5, 10), 14, 16


def half_width(n: int) -> float:
    """Return half the width of the t interval of a mean, in standard deviations of the seeds."""
    return stats.t.ppf(0.975, n - 1) / np.sqrt(n)


def coverage_of_t(n: int, simulations: int) -> float:
    """Return how often the t interval covers the mean, for normal values."""
    low, high = t_interval(stream(0, "seeds", "t", n).normal(size=(simulations, n)))
    return np.mean((low <= 0) & (high >= 0))


def coverage_of_bootstrap(n: int, simulations: int) -> float:
    """Return how often the percentile bootstrap of the mean covers it, for normal values."""
    rng = stream(0, "seeds", "bootstrap", n)
    values = rng.normal(size=(simulations, n))
    means = [np.take_along_axis(values, rng.integers(n, size=values.shape), 1).mean(1)
             for _ in range(1000)]  # fmt: skip
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return np.mean((low <= 0) & (high >= 0))


def power(n: int, difference: float, tests: int = 1) -> float:
    """Return the probability that a paired t test finds a difference of two means.

    Args:
        n: pairs of seeds that have nothing in common.
        difference: in standard deviations of the seeds.
        tests: the p value has to be below 0.05 over this number (Holm's first step).
    """
    found = stats.t.isf(0.025 / tests, n - 1)
    effect = difference * np.sqrt(n / 2)
    return float(stats.nct.sf(found, n - 1, effect) + stats.nct.cdf(-found, n - 1, effect))


def false_alarms(n: int, simulations: int) -> tuple[float, float, float]:
    """Compare 16 equal cells in pairs.

    Returns:
        how many pairs have p < 0.05 on average, and how often any has, as it is and after Holm's
        correction.
    """
    rng = stream(0, "seeds", "pairs", n)
    pairs = np.array(list(itertools.combinations(range(CELLS), 2)))
    values = rng.normal(size=(simulations, CELLS, n))
    p = stats.ttest_1samp(values[:, pairs[:, 0]] - values[:, pairs[:, 1]], 0.0, axis=-1).pvalue
    corrected = np.array([holm(family) for family in p])
    return (p < 0.05).sum(1).mean(), (p < 0.05).any(1).mean(), (corrected < 0.05).any(1).mean()


def _shapes(name: str) -> np.ndarray:
    """Return the shapes of the beta distributions of the scores of 14 tasks."""
    return stream(0, "seeds", "tasks", name).uniform(1, 6, (2, TASKS))


def interquartile(n: int, simulations: int) -> tuple[float, float]:
    """Return how often the interval of the interquartile mean of 14 tasks covers, and its width."""
    rng, shapes = stream(0, "seeds", "interquartile mean", n), _shapes("iqm")
    truth = interquartile_mean(rng.beta(*shapes, (200_000, TASKS)).ravel())
    bounds = np.array(
        [
            bootstrap_interquartile_mean(list(rng.beta(*shapes, (n, TASKS)).T), rng)[1:]
            for _ in range(simulations)
        ]
    )
    return np.mean((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])), np.diff(bounds).mean()


def improvement(n: int, tasks: int, simulations: int) -> float:
    """Return how often the interval of the probability of improvement leaves out 0.5.

    The two cells are equal: it should do so in 5 % of the cases.
    """
    rng = stream(0, "seeds", "improvement", n, tasks)
    a, b = _shapes("iqm")[:, :tasks]
    wrong = 0
    for _ in range(simulations):
        x, y = rng.beta(a, b, (2, n, tasks))
        _, low, high = bootstrap_improvement(list(zip(x.T, y.T, strict=True)), rng)
        wrong += not low <= 0.5 <= high
    return wrong / simulations


def numbers(simulations: int = 20_000, bootstraps: int = 1000) -> dict[str, list[list[float]]]:
    """Return the rows of each table of the page, one per number of seeds."""
    return {
        "means": [
            [n, half_width(n), coverage_of_t(n, simulations),
             coverage_of_bootstrap(n, simulations // 10)]
            for n in SEEDS
        ],
        "differences": [
            [n, *(power(n, d) for d in (1, 2, 3)), power(n, 3, 6), power(n, 3, 120)]
            for n in SEEDS
        ],
        "counts": [
            [n, binomial_interval(0, n)[1], *binomial_interval(n - 1, n),
             binomial_interval(n, n)[0]]
            for n in SEEDS
        ],
        "pairs": [[n, *false_alarms(n, simulations // 10)] for n in SEEDS],
        "tasks": [
            [n, *interquartile(n, bootstraps), improvement(n, 1, bootstraps),
             improvement(n, TASKS, bootstraps)]
            for n in SEEDS
        ],
    }  # fmt: skip


def rows_of(page: str) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield the name of each table of the page, and its numbers."""
    for part in page.split("<!-- table: ")[1:]:
        name, text = part.split(" -->", 1)
        lines = [line for line in text.split("\n\n")[0].splitlines() if line.startswith("| ")][1:]
        yield name, [[float(cell) for cell in line.strip("| ").split("|")] for line in lines]


def main() -> None:
    """Print the rows of all tables."""
    for name, rows in numbers().items():
        print(f"<!-- table: {name} -->")
        for n, *values in rows:
            print(f"| {n} | {' | '.join(f'{value:.2f}' for value in values)} |")


if __name__ == "__main__":
    main()
