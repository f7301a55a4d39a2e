"""The clock jumps: no number, no duration and no decision of Snakemake depends on it."""

import json
import os
import re
import signal

import pytest

from .comparison import assert_undisturbed
from .moments import moments

DAY = 86400


@pytest.mark.parametrize("rule", ["train", "search"])
def test_a_job_under_a_jumping_clock(rule, forks, job, tally):
    jumpy, fork = job(rule), forks.all[0]
    with tally.tries("the clock jumps during a job"):
        (moment,) = moments(f"clock {rule}", 1, forks.life(jumpy))
        fork.prepare(jumpy)
        fork.interrupt(jumpy, moment, signal.SIGTERM, FAULT_CLOCK=1)
        fork.finish(jumpy, FAULT_CLOCK=1)
        log = (fork.folder / jumpy.log).read_text()
        for seconds in re.findall(r"(-?[\d.]+) s\b", log):
            assert 0 <= float(seconds) < 600
        (record,) = [name for name in jumpy.outputs if name.endswith(".json")]
        assert 0 < json.loads((fork.results / record).read_text())["seconds"] < 600


@pytest.mark.parametrize("what", ["results", "results/runs", "results/data", "src", "workflow"])
@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forth", "back"])
def test_files_from_another_time(what, jump, finished, reference, tally):
    """Files seem a day younger or older than those that they were made from."""
    with tally.tries("the clock jumped between jobs"):
        for path in (finished.folder / what).rglob("*"):
            if path.is_file():
                there = path.stat().st_mtime
                os.utime(path, (there + jump, there + jump))
        assert "Nothing to be done" in finished.succeed().text
        assert_undisturbed(finished.results, reference.results)
