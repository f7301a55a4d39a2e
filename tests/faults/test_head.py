"""Snakemake itself is killed, ended, and started twice."""

import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

from .comparison import assert_undisturbed
from .moments import moments
from .processes import wait_for

#: The study whose jobs run one after the other through every rule.
STUDY = "capacity"
TARGET = f"results/figures/{STUDY}/README.md"
#: Scripts in the order in which they run, and rules; the signal comes while one of them does.
STAGES = {
    "data": "data",
    "search": "search",
    "optimum": "optimum",
    "train": "train",
    "aggregate": "aggregate",
    "figure": "figure",
    "index": "index",
}


def ends_within(head, seconds: float) -> bool:
    try:
        head.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_snakemake_killed_at_any_moment(project, reference, tally):
    waiting, kills = moments("head", 20, reference.seconds / 8), 0
    while waiting:
        head = project.start(TARGET)
        if not ends_within(head, waiting[-1]):
            head.kill()
            waiting.pop()
            kills += 1
            continue
        # This life is over before the next kill: a new one begins.
        with tally.tries("kill -9 of Snakemake at a random moment", kills):
            assert head.code == 0, head.text
            assert_undisturbed(project.results, reference.results, STUDY)
        project.clear()
        kills = 0
    with tally.tries("kill -9 of Snakemake at a random moment", kills):
        project.succeed(TARGET)
        assert_undisturbed(project.results, reference.results, STUDY)


def test_the_jobs_of_a_killed_snakemake_end_too(project, reference, tally):
    with tally.tries("jobs without a Snakemake"):
        head = project.start(TARGET)
        training = head.job("train")
        wait_for(lambda: list((project.folder / "logs/train").rglob("*.log")), "its log")
        head.kill()
        psutil.wait_procs([training], timeout=10)
        assert not training.is_running()
        again = project.succeed(TARGET)
        assert "The last Snakemake in this folder was killed; its lock is removed." in again.text
        assert_undisturbed(project.results, reference.results, STUDY)


def signal_snakemake(head, job):
    head.send(signal.SIGTERM)


def press_ctrl_c(head, job):
    head.send_to_all(signal.SIGINT)


def signal_job(head, job):
    job.terminate()


def strike(project, stage, how, moment, *arguments):
    """Start Snakemake and send a signal in a stage; None if its job had ended before."""
    head = project.start(TARGET, *arguments)
    job = head.job(stage)
    time.sleep(moment)
    in_time = False
    with suppress(psutil.NoSuchProcess):
        job.suspend()  # so that it does not end before the signal comes
        # One that is about to end does not stop any more.
        ends = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        wait_for(lambda: job.status() in ends, "the job to stop or to end")
        in_time = job.status() == psutil.STATUS_STOPPED
        how(head, job)
        job.resume()
    head.wait()
    return head if in_time else None


@pytest.mark.parametrize(
    ("how", "fault", "stages"),
    [
        (signal_snakemake, "SIGTERM of Snakemake, during every stage", list(STAGES)),
        (press_ctrl_c, "Ctrl-C, during stages that last", ["search", "train"]),
        (signal_job, "SIGTERM of a job, during every stage", list(STAGES)),
    ],
)
def test_a_signal_in_every_stage(how, fault, stages, project, reference, tally):
    with tally.tries(fault, len(stages)):
        # Some jobs do not last longer; later moments are tried on jobs alone.
        finished = False
        for stage, moment in zip(stages, moments(how.__name__, len(stages), 0.25), strict=True):
            head = None
            while head is None:
                # What is missing before a finished target is not made anew by itself.
                again = ["--forcerun", STAGES[stage]] if finished else []
                head = strike(project, stage, how, moment, *again)
                finished = finished or head is None
                moment /= 2
            assert head.code, head.text
            if how is signal_job:
                assert_its_log_is_shown(head, stage)
        project.succeed(TARGET)
        assert_undisturbed(project.results, reference.results, STUDY)


def assert_its_log_is_shown(head, stage: str) -> None:
    shown = head.text.split(f"Logfile logs/{stage}/{STUDY}")[1]
    # Before it listens to signals and has opened its log, there is no last line.
    begins = shown.split("\n")[0]
    assert "ERROR ended by SIGTERM" in shown or begins.endswith(("empty file", "not found."))


def test_two_snakemakes_in_one_folder(project, reference, tally):
    def assert_refused(head, *reasons):
        assert head.code == 1, head.text
        assert any(reason in head.text for reason in (*reasons, "Another Snakemake is at work"))

    with tally.tries("a second Snakemake in the same folder", 4):
        heads = [project.start(TARGET), project.start(TARGET)]
        wait_for(lambda: any(head.code is not None for head in heads), "one of two to be refused")
        refused, first = sorted(heads, key=lambda head: head.code is None)
        assert_refused(refused, "Directory cannot be locked")
        searching = first.job("search")
        searching.suspend()  # so that the first one is at work until all have been refused
        for moment in moments("second head", 2, 1.0):
            assert not ends_within(first, moment), first.text
            assert_refused(project.run(TARGET))
        assert project.run("--unlock").code == 0
        assert_refused(project.run(TARGET))
        assert project.run("--dry-run", TARGET).code == 0
        searching.resume()
        assert first.wait() == 0, first.text
        assert_undisturbed(project.results, reference.results, STUDY)
