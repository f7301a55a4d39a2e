"""Jobs are killed and ended: at random moments, again and again, before every file operation."""

import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from comparison import files_of
from moments import moments

OBSERVATIONS = "searches/capacity/cell=TRNN/length=10/hidden=6/layers=1/observations.csv"


def assert_no_half_result(fork, killed, optimum) -> None:
    """Fail if what the killed job left could be taken for its result."""
    if killed.rule == "search" and (fork.results / OBSERVATIONS).exists():
        # A search shows its observations while it goes on. What reads them wants all of them.
        if len(pd.read_csv(fork.results / OBSERVATIONS)) < 5:
            assert fork.run(optimum) == 1
            assert "observations.csv: is damaged" in fork.terminal
    else:
        fork.assert_whole(killed)


def life(forks, job) -> float:
    """Return how many seconds a job lasts in a fork."""
    fork = forks.all[0]
    fork.prepare(job)
    began = time.perf_counter()
    fork.finish(job)
    return time.perf_counter() - began


@pytest.mark.parametrize(
    ("rule", "study", "kills"),
    [
        ("train", "capacity", 7),
        ("train", "copy", 7),
        ("train", "addition", 6),
        ("search", "capacity", 20),
    ],
)
def test_a_job_killed_at_any_moment_ends_with_the_same_numbers(
    rule, study, kills, forks, job, tally
):
    killed = job(rule, study)
    seconds = life(forks, killed)

    def trial(fork, moment):
        with tally.tries(f"kill -9 of a {rule} job at a random moment"):
            fork.prepare(killed)
            fork.interrupt(killed, moment, signal.SIGKILL)
            assert_no_half_result(fork, killed, job("optimum"))
            fork.finish(killed)

    forks.each(trial, moments(f"{rule} {study}", kills, seconds))


@pytest.mark.parametrize(
    "rule", ["trajectories", "search", "optimum", "train", "aggregate", "figure_capacity"]
)
def test_a_job_that_is_asked_to_end_leaves_nothing_half_done(rule, forks, job, tally):
    ended = job(rule)
    seconds = life(forks, ended)

    def trial(fork, moment):
        with tally.tries("SIGTERM of a job at a random moment"):
            fork.prepare(ended)
            code = fork.interrupt(ended, moment, signal.SIGTERM)
            if code == 128 + signal.SIGTERM:
                assert fork.terminal.endswith("] ended by SIGTERM\n")
            else:  # it was over already, or did not listen to signals yet
                assert code in (0, -signal.SIGTERM)
            left = {Path(name).name for name in files_of(fork.results) if "/." in name}
            assert left <= {".checkpoint"}
            assert_no_half_result(fork, ended, job("optimum"))
            fork.finish(ended)

    forks.each(trial, moments(f"SIGTERM {rule}", 4, seconds))


@pytest.mark.parametrize(("rule", "study"), [("train", "copy"), ("search", "capacity")])
def test_a_job_killed_again_and_again_comes_to_its_end(rule, study, forks, job, tally):
    killed, fork = job(rule, study), forks.all[0]
    seconds = life(forks, killed)
    fork.prepare(killed)
    with tally.tries(f"kill -9 of a {rule} job, 5 times in a row", 1):
        for moment in moments(f"{rule} {study} chain", 5, seconds / 3):
            fork.clean(killed)
            fork.interrupt(killed, 0.2 + moment, signal.SIGKILL)
        fork.finish(killed)


@pytest.mark.parametrize(
    ("rule", "study"),
    [
        ("trajectories", "capacity"),
        ("search", "capacity"),
        ("optimum", "capacity"),
        ("train", "copy"),
        ("aggregate", "capacity"),
        ("figure_capacity", "capacity"),
    ],
)
def test_a_job_killed_at_any_file_operation_leaves_no_half_result(
    rule, study, forks, job, tally, tmp_path
):
    killed, fork = job(rule, study), forks.all[0]
    fork.prepare(killed)
    # One checkpoint only: what matters here is each kind of write, not its number.
    assert fork.run(killed, FAULT_COUNT=tmp_path / "count", RNNCELLS_CHECKPOINT_SECONDS=1.0) == 0
    operations = int((tmp_path / "count").read_text())
    assert operations > 2 * len(killed.outputs)

    def trial(fork, operation):
        with tally.tries(f"kill -9 of a job at a file operation ({rule})"):
            fork.prepare(killed)
            fork.run(killed, FAULT_AT=operation, RNNCELLS_CHECKPOINT_SECONDS=1.0)
            assert_no_half_result(fork, killed, job("optimum"))
            fork.finish(killed)

    forks.each(trial, list(range(1, operations + 1)))
