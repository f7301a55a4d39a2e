"""Jobs whose inputs are cut off behind the pipeline's back refuse them by name."""

import pytest

from .moments import moments

RUN = "cell=sRNN/length=10/hidden=6/layers=1"
#: Results, and the rules that read them.
READERS = {
    "data/capacity/data.npy": ("search", "train"),
    f"searches/capacity/{RUN}/observations.csv": ("optimum", "figure_search"),
    f"searches/capacity/{RUN}/optimum.json": ("train", "figure_search"),
    f"searches/capacity/{RUN}/surrogate.parquet": ("figure_search",),
    f"searches/capacity/{RUN}/search.json": ("aggregate",),
    f"runs/capacity/{RUN}/seeds=0-1/metrics.parquet": ("aggregate",),
    f"runs/capacity/{RUN}/seeds=0-1/examples.parquet": ("aggregate",),
    f"runs/capacity/{RUN}/seeds=0-1/run.json": ("aggregate",),
    "tables/capacity/metrics.parquet": ("figure_trajectories",),
    "tables/capacity/summary.parquet": ("figure_capacity",),
    "tables/capacity/provenance.parquet": ("cost",),
}


@pytest.mark.parametrize(
    ("name", "rule"), [(name, rule) for name, rules in READERS.items() for rule in rules]
)
def test_a_job_refuses_what_is_cut_off(name, rule, forks, job, tally):
    reader = job(rule, "" if rule == "cost" else "capacity")
    whole = (forks.all[0].reference / name).read_bytes()
    # Random places, nothing at all, and all but the last byte.
    places = [int(k) for k in moments(f"cut {name}", 4, len(whole))] + [0, len(whole) - 1]

    def trial(fork, place):
        with tally.tries("a result cut off at a random place"):
            fork.prepare(reader)
            (fork.results / name).write_bytes(whole[:place])
            code = fork.run(reader)
            if code == 0:  # nothing but white space was cut off
                assert not whole[place:].strip()
                fork.assert_whole(reader)
            else:
                assert_refused(fork.terminal, name)
                assert not any((fork.results / output).exists() for output in reader.outputs)

    forks.each(trial, places)


def assert_refused(text: str, name: str) -> None:
    lines = [line for line in text.splitlines() if f"results/{name}: is damaged" in line]
    assert len(lines) == 1, text
    assert "delete it and give the same command again" in lines[0]
    assert "Traceback" not in text
