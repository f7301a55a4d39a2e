"""Read the optimum off a search's surrogate."""

import time

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_json, write_table
from rnncells.jobs.job import job
from rnncells.results.provenance import record
from rnncells.search.observations import read_observations
from rnncells.search.optimum import extract


def main(snakemake: Snakemake) -> None:
    """Fit the surrogate to the observations, and write it and its optimum."""
    w, p, out = snakemake.wildcards, snakemake.params, snakemake.output
    with job(f"optimum {w.study} {w.cell} {w.size}", snakemake.log[0]):
        began = time.perf_counter()
        observations = read_observations(snakemake.input.observations, p.configurations, p.space)
        optimum, surrogate = extract(
            observations, p.space, p.extraction["surrogate"], p.extraction["evaluate"]
        )
        write_table(surrogate, out.surrogate)
        write_json(out.optimum, optimum)
        made = record(
            rule="optimum",
            parameters={"space": dict(p.space), **p.extraction},
            seeds=[0],
            seconds=time.perf_counter() - began,
            attempt=snakemake.resources.attempt,
        )
        write_json(out.run, made)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
