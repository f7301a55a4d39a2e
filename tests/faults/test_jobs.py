"""Jobs are killed and ended: at random moments, again and again, before every file operation."""

import json
import signal
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from .comparison import files_of
from .moments import moments

OBSERVATIONS = "searches/capacity/cell=sRNN/length=10/hidden=6/layers=1/observations.csv"


def assert_no_half_result(fork, killed, optimum) -> None:
    """Fail if what the killed job left could be taken for its result."""
    if killed.rule == "search" and (fork.results / OBSERVATIONS).exists():
        # A search shows its observations while it goes on. What reads them wants all of them.
        if len(pd.read_csv(fork.results / OBSERVATIONS)) < 5:
            assert fork.run(optimum) == 1
            assert "observations.csv: is damaged" in fork.terminal
    else:
        fork.assert_whole(killed)


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
    seconds = forks.life(killed)

    def trial(fork, moment):
        with tally.tries(f"kill -9 of a {rule} job at a random moment"):
            fork.prepare(killed)
            fork.interrupt(killed, moment, signal.SIGKILL)
            assert_no_half_result(fork, killed, job("optimum"))
            fork.finish(killed)

    forks.each(trial, moments(f"{rule} {study}", kills, seconds))


@pytest.mark.parametrize(
    "rule", ["data", "search", "optimum", "train", "aggregate", "figure_capacity"]
)
def test_a_job_that_is_asked_to_end_leaves_nothing_half_done(rule, forks, job, tally):
    ended = job(rule)
    seconds = forks.life(ended)

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
    seconds = forks.life(killed)
    fork.prepare(killed)
    with tally.tries(f"kill -9 of a {rule} job, 5 times in a row", 1):
        for moment in moments(f"{rule} {study} chain", 5, seconds / 2):
            fork.clean(killed)
            fork.interrupt(killed, moment, signal.SIGKILL)
        fork.finish(killed)


@pytest.mark.parametrize(
    ("rule", "study"),
    [
        ("data", "capacity"),
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
    code = fork.run(killed, FAULT_LIST=tmp_path / "list", RNNCELLS_CHECKPOINT_SECONDS=0.05)
    assert code == 0, fork.terminal
    numbers = Counter(map(tuple, json.loads((tmp_path / "list").read_text())))
    assert len(numbers) > 2 * len(killed.outputs)
    # What a job does again and again is interrupted at one of the times.
    parts = moments(f"operations of {rule}", len(numbers), 1.0)
    ends = [
        (*kind, 1 + int(part * numbers[kind]))
        for kind, part in zip(sorted(numbers), parts, strict=True)
    ]

    def trial(fork, what, name, number):
        with tally.tries(f"kill -9 of a job at a file operation ({rule})"):
            fork.prepare(killed)
            at = json.dumps([what, name, number])
            code = fork.run(killed, FAULT_AT=at, RNNCELLS_CHECKPOINT_SECONDS=0.05)
            # How many checkpoints there are, and so which is the last, depends on the speed.
            assert code == -signal.SIGKILL or number > 1
            assert_no_half_result(fork, killed, job("optimum"))
            fork.finish(killed)

    forks.each(trial, *map(list, zip(*ends, strict=True)))
