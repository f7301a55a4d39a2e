"""Search and optimum against functions whose optimum is known, and against interruptions."""

import numpy as np
import pandas as pd
import pytest

from rnncells.jobs.fingerprint import fingerprint
from rnncells.search.journal import Journal
from rnncells.search.loop import Observation, propose, search
from rnncells.search.optimum import (
    ObservationError,
    extract,
    fit,
    grid_minimum,
    refined,
    relative_mean,
)
from rnncells.search.space import Space

SETTINGS = {
    "p": {"low": 1, "high": 41, "scale": "integer", "first": 5},
    "lr": {"low": 1e-4, "high": 1.0, "scale": "log", "first": 0.01},
}
SPACE = Space(SETTINGS)
RULES = {"tries": 2, "batch": 1, "initial": 3, "seed": 0, "surrogate": "robust"}


def score(p: float, lr: float) -> float:
    """A smooth score with its maximum 10 at p = 21, lr = 1e-2."""
    return 10 - 20 * ((p - 21) / 40) ** 2 - 3 * (np.log10(lr) + 2) ** 2


def evaluate(values, seeds):
    return [Observation([1.0, 2.0], score(**value), 0.1, 0) for value in values]


def run(path, configurations, rules=RULES, evaluate=evaluate):
    journal = Journal(path / "journal.csv", SPACE, "sequences", 2, path / "observations.csv")
    return search(SPACE, rules, configurations, "sequences", evaluate, journal)


def test_units_and_values_are_inverse():
    table = pd.DataFrame({"p": [1, 21, 41], "lr": [1e-4, 1e-2, 1.0]})
    units = SPACE.to_unit(table)
    np.testing.assert_allclose(units, [[0, 0], [0.5, 0.5], [1, 1]], atol=1e-12)
    for u, p, lr in zip(units, table["p"], table["lr"], strict=True):
        assert SPACE.from_unit(u) == pytest.approx({"p": p, "lr": lr})
    assert SPACE.tried([0.512, 0.5])["p"] == 21
    assert SPACE.tried([-1e-17, 1 + 1e-12]) == {"p": 1, "lr": 1.0}


def test_the_search_starts_at_the_first_point_and_finds_the_maximum(tmp_path):
    table = run(tmp_path, 14)
    assert (table["p"][0], table["lr"][0]) == (5, pytest.approx(0.01))
    assert table["score"].max() > 9.5
    assert table["score"][4:].mean() > table["score"][:4].mean()
    assert list(table["configuration"]) == list(range(14))


def test_a_score_that_cannot_be_kept_ends_the_search(tmp_path):
    def broken(values, seeds):
        return [Observation([1.0, 2.0], float("nan"), 0.1, 0) for _ in values]

    with pytest.raises(RuntimeError, match=r"the score of .* is nan"):
        run(tmp_path, 3, evaluate=broken)


@pytest.mark.parametrize("batch", [1, 3])
def test_an_interrupted_search_continues_as_if_it_had_never_stopped(tmp_path, batch):
    rules = RULES | {"batch": batch}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(tmp_path / "a", 9, rules)
    calls = 0

    def dies(values, seeds):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return evaluate(values, seeds)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", 9, rules, dies)
    with (tmp_path / "b" / "journal.csv").open("a") as file:
        file.write("6,17,0.0")  # the line that the dying process did not finish
    resumed = run(tmp_path / "b", 9, rules)
    pd.testing.assert_frame_equal(whole, resumed)


def test_a_larger_budget_extends_the_search(tmp_path):
    first = run(tmp_path, 6)
    seen = []

    def counting(values, seeds):
        seen.extend(values)
        return evaluate(values, seeds)

    extended = run(tmp_path, 8, evaluate=counting)
    assert len(seen) == 2
    pd.testing.assert_frame_equal(extended.iloc[:6], first)


def test_each_observation_is_on_the_disk_before_the_next_is_made(tmp_path):
    def looking(values, seeds):
        file = tmp_path / "observations.csv"
        assert len(pd.read_csv(file)) == looking.known
        looking.known += len(values)
        return evaluate(values, seeds)

    looking.known = 0
    run(tmp_path, 5, evaluate=looking)
    assert looking.known == 5


def test_tries_have_seeds_of_their_own(tmp_path):
    drawn = []

    def noting(values, seeds):
        drawn.extend(seed for group in seeds for seed in group)
        return evaluate(values, seeds)

    run(tmp_path, 5, evaluate=noting)
    assert len(set(drawn)) == len(drawn) == 10
    assert min(drawn) >= 2**32  # above every seed that a study evaluates


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        ("2,3,0.1,1,2\n", 2),  # columns missing
        ("1,3,0.1,1,2,3,1,0,1\n", 2),  # a line again
        ("x,3,0.1,1,2,3,1,0,2\n", 2),  # no number
        ("2,3,0.1,1,2,3,1,0,2", 2),  # no line feed
        ("2,3,0.1,1,2,3,1,0,3\n", 2),  # a batch without its end
        ("2,3,0.1,1,2,3,1,0,3\n3,3,0.1,1,2,3,1,0,3\n", 4),
        ("2,3,0.1,nan,2,3,1,1,2\n", 3),  # a diverged try has no error, but the score counts
    ],
)
def test_a_damaged_journal_keeps_its_sound_lines(tmp_path, damage, kept):
    run(tmp_path, 2)
    with (tmp_path / "journal.csv").open("a") as file:
        file.write(damage)
    journal = Journal(
        tmp_path / "journal.csv", SPACE, "sequences", 2, tmp_path / "observations.csv"
    )
    assert len(journal.read()) == kept


def test_the_fingerprint_follows_settings_and_files(tmp_path):
    file = tmp_path / "cell.py"
    file.write_text("a")
    marks = {fingerprint({"x": 1}, files=[file]), fingerprint({"x": 2}, files=[file])}
    file.write_text("b")
    marks.add(fingerprint({"x": 1}, files=[file]))
    assert len(marks) == 3
    file.write_text("a")
    assert fingerprint({"x": 1}, files=[file]) in marks


def test_proposals_depend_on_nothing_but_the_observations(tmp_path):
    table = run(tmp_path, 6)
    assert propose(SPACE, table, RULES, 1) == propose(SPACE, table.copy(), RULES, 1)
    assert propose(SPACE, table, RULES | {"seed": 1}, 1) != propose(SPACE, table, RULES, 1)
    batch = propose(SPACE, table, RULES, 3)
    assert len({tuple(point) for point in batch}) == 3


def test_the_random_points_are_those_of_the_space_whatever_the_cell():
    other = Space(
        {"q": {"low": 0.0, "high": 1.0, "scale": "linear", "first": 0.3}}
        | {"lr": {"low": 1e-4, "high": 1.0, "scale": "log", "first": 0.05}}
    )

    def points(space, known):
        return propose(space, pd.DataFrame(index=range(known)), RULES, 8)

    assert points(SPACE, 0)[0] == pytest.approx([0.1, 0.5])
    assert points(other, 0)[0] != points(SPACE, 0)[0]
    assert len(points(SPACE, 0)) == 1 + RULES["initial"]
    assert points(other, 0)[1:] == points(SPACE, 0)[1:] == points(SPACE, 1)


def observations(rows: int, noise: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"p": rng.integers(1, 42, rows), "lr": 10 ** rng.uniform(-4, 0, rows)})
    table["score"] = score(table["p"], table["lr"]) + noise * rng.standard_normal(rows)
    return table


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_optimum_is_the_maximum_of_the_function(noise):
    optimum, dependence = extract(observations(120, noise), SETTINGS)
    # One cell of the grid is 0.02 of the unit interval; noise moves the optimum of a surrogate.
    cells = 1 if noise == 0 else 3
    assert optimum["values"]["p"] == pytest.approx(21, abs=0.8 * cells)
    assert np.log10(optimum["values"]["lr"]) == pytest.approx(-2, abs=0.08 * cells)
    assert optimum["score"] == pytest.approx(10, abs=0.05 if noise == 0 else 1)
    assert optimum["on_bound"] == []
    best = dependence[dependence["x_name"].eq("p") & dependence["y_name"].eq("")]
    assert best["x"][best["mean"].idxmax()] == pytest.approx(21, abs=2)
    assert set(zip(dependence["x_name"], dependence["y_name"], strict=True)) == {
        ("p", ""),
        ("lr", ""),
        ("p", "lr"),
    }


def test_the_best_observation_is_reported_beside_the_optimum():
    table = observations(40, noise=2.0)
    optimum, _ = extract(table, SETTINGS)
    row = table["score"].idxmax()
    assert optimum["best_observed"]["score"] == pytest.approx(table["score"][row])
    assert optimum["best_observed"]["values"]["p"] == table["p"][row]
    assert optimum["best_observed"]["configuration"] == row


def test_values_on_a_bound_are_named():
    table = observations(60)
    table["score"] = -((np.log10(table["lr"]) + 4) ** 2) - ((table["p"] - 21) / 40) ** 2
    optimum, _ = extract(table, SETTINGS)
    assert optimum["on_bound"] == ["lr"]
    assert optimum["values"]["lr"] == pytest.approx(1e-4)


def test_the_minimum_is_least_on_the_whole_grid():
    model = fit(observations(50, noise=1.0), SPACE)
    point = refined(model, grid_minimum(model, 2))
    u = np.arange(50) / 50
    grid = np.stack(np.meshgrid(u, u, indexing="ij"), -1).reshape(-1, 2)
    assert model.predict(point[None])[0] <= model.predict(grid).min() + 1e-12
    nearest = grid[model.predict(grid).argmin()]
    assert np.abs(point - nearest).max() <= 0.02 + 1e-12


def test_the_relative_mean_is_the_mean_up_to_units():
    table = observations(50, noise=1.0)
    model = fit(table, SPACE)
    points = np.random.default_rng(0).random((40, 2))
    expected = (model.predict(points) + table["score"].mean()) / table["score"].std(ddof=0)
    amplitude = model.kernel_.k1.k1.constant_value
    np.testing.assert_allclose(amplitude * relative_mean(model, points), expected, atol=1e-8)


def test_four_dimensions_are_searched_in_chunks():
    names = ["a", "b", "c", "d"]
    settings = {name: {"low": 0.0, "high": 1.0, "scale": "linear"} for name in names}
    centre = np.array([0.3, 0.6, 0.5, 0.4])
    table = pd.DataFrame(np.random.default_rng(1).random((60, 4)), columns=names)
    table["score"] = -((table[names] - centre) ** 2).sum(axis=1)
    optimum, _ = extract(table, settings)
    np.testing.assert_allclose([optimum["values"][n] for n in names], centre, atol=0.05)


@pytest.mark.parametrize(
    ("table", "fragment"),
    [
        (pd.DataFrame({"p": [1, 2], "score": [1, 2]}), "lr"),
        (pd.DataFrame({"p": [1, 2], "lr": [0.1, 0.2]}), "score"),
        (pd.DataFrame({"p": [1, 2], "lr": [0.1, 0.2], "score": [np.nan, 2]}), "1 rows"),
        (pd.DataFrame({"p": [], "lr": [], "score": []}), "0 rows"),
        (pd.DataFrame({"p": ["x", 2], "lr": [0.1, 0.2], "score": [1, 2]}), "1 rows"),
    ],
)
def test_useless_observations_are_refused_in_one_line(table, fragment):
    with pytest.raises(ObservationError) as caught:
        extract(table, SETTINGS)
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)
