"""The benchmark: its floor has the products of a training step, and its table the right ratios."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import floor, peak, timing
from benchmarks.cases import FOURTEEN, Case, Contest, cases, remembering
from benchmarks.figure import draw, save
from benchmarks.floor import Product
from benchmarks.page import LIMITS, page
from benchmarks.table import blas, line, rows_of
from rnncells import kernels

STEPS, P, N = 7, 5, 60


def operations(products):
    return sum(p.rows * p.inner * p.columns * p.times for p in products)


@pytest.mark.parametrize("models", [1, 3])
@pytest.mark.parametrize("name", FOURTEEN)
def test_the_floor_has_the_products_of_a_training_step(name, models):
    """Counted in the readable step, whose products are the same but for their order."""
    step = remembering(name, P, models, STEPS)
    x, rnn = step.task.batch(0).x, step.network.rnn
    expected = [*floor.stack(rnn, x), *floor.readout(rnn, STEPS * P, 2)]
    with floor._Recorder() as recorder, kernels.disabled():
        step()
    made = operations(recorder.products)
    # The gradient of a fixed initial state is not needed, so one step of the backward pass less.
    first = operations(floor.recorded(*first_step(rnn, x)))
    assert made <= operations(expected) <= made + first


def first_step(rnn, x):
    (cell,) = rnn.cells
    return cell.step, cell.project(x[..., 0, :, :]), cell.initial_state(P), cell.recurrence()


@pytest.fixture
def working(monkeypatch):
    """Time by a clock that only works move on: ``working(0.02)`` is a work of 20 ms."""
    now = 0.0

    def work(seconds, done=lambda: None):
        def run():
            nonlocal now
            now += seconds
            done()

        return run

    monkeypatch.setattr(timing, "perf_counter", lambda: now)
    return work


def test_contestants_take_turns(working):
    order = []
    contestants = {
        "slow": working(0.03, lambda: order.append("slow")),
        "fast": working(0.02, lambda: order.append("fast")),
        "short": working(0.001, lambda: order.append("short")),
    }
    times = timing.interleave(contestants, seconds=0.2, rounds=3)
    assert order[-2 * 22 :] == (["slow", "fast"] + ["short"] * 20) * 2
    for name, milliseconds in (("slow", 30), ("fast", 20), ("short", 1)):
        np.testing.assert_allclose(times[name], [milliseconds] * 3)  # 0.07 s a round, 0.2 s
    assert len(timing.interleave(contestants, seconds=0.3, rounds=3)["slow"]) == 5


def test_the_table_and_what_is_made_of_it(working, tmp_path, monkeypatch):
    peers = {"torch.nn": working(0.06), "torch.compile": "no C++ compiler"}
    products = [Product(100, 50, 20, times=1000)]  # 0.2 GFLOP
    contest = Contest(working(0.02), peers, products, models=5)
    case = Case("a case", "layers", lambda: contest, {"torch.nn": 4.0}, floor_ratio=1.5, share=0.6)
    monkeypatch.setattr(floor, "work", lambda products: working(0.01))
    monkeypatch.setattr(peak, "work", lambda: (working(0.005), 1e8))  # 20 GFLOP/s
    table = rows_of(case, 0, 3)
    first, second = table.to_dict("records")
    assert (first["our_ms"], first["peer_ms"], first["floor_ms"]) == pytest.approx((20, 60, 10))
    assert (first["ratio"], first["floor_ratio"]) == pytest.approx((3, 2))
    assert (first["our_low"], first["ratio_high"]) == pytest.approx((20, 3))
    assert (first["gflop"], first["peak"], first["share"]) == pytest.approx((0.2, 20, 0.5))
    assert (first["models"], first["threads"]) == (5, torch.get_num_threads())
    said = line(table.iloc[0], case)
    for missed in ("not at least 4", "not at most 1.5", "not at least 0.6"):
        assert missed in said
    assert second["note"] == "no C++ compiler"
    assert np.isnan(second["ratio"])
    assert "no C++ compiler" in line(table.iloc[1], case)
    groups = ("layers", "capacity", "fixed", "scaling", "gpu")
    table = pd.concat([table.assign(group=name) for name in groups], ignore_index=True)
    save(draw(table), tmp_path / "bench.png")
    assert (tmp_path / "bench.png").stat().st_size > 5_000
    written = page(table.assign(blas=blas()))
    assert "| a case | 20 (20 to 20) | torch.nn | 60 | 3 (3 to 3) | 10 | 2 | 50% |" in written
    assert written.endswith(by_hand := LIMITS.read_text())
    assert written.removesuffix(by_hand).count("## ") == len(groups)


def test_the_page_shows_the_table():
    docs = Path(__file__).parents[2] / "docs"
    assert (docs / "speed.md").read_text() == page(pd.read_csv(docs / "bench.csv"))


def test_the_peak_counts_its_multiply_adds():
    work, operations = peak.work()
    numbers = np.arange(peak.SUMS * peak.LANES, dtype=np.float32) / 1000
    total = sum(numbers[k * peak.LANES] for k in range(peak.SUMS))
    # Once: every sum v becomes v * first + first, and the first is 0; then all are added.
    assert peak._run(0, numbers) == pytest.approx(total, rel=1e-6)
    assert peak._run(1, numbers) == pytest.approx(0)
    assert operations == 2 * peak.TIMES * peak.SUMS * peak.LANES
    work()


def test_names_of_cases_are_unique():
    names = [case.name for case in cases(quick=False)]
    assert len(names) == len(set(names))
    assert {case.name for case in cases(quick=True)} < set(names)
