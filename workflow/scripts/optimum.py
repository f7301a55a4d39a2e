"""Read the optimum off a search's surrogate."""

from rnncells.jobs.job import job

w = snakemake.wildcards
with job(f"optimum {w.study} {w.cell} hidden={w.hidden}", snakemake.log[0], snakemake.threads):
    import time

    from rnncells.jobs.files import write_json, write_table
    from rnncells.search.observations import read_observations
    from rnncells.search.optimum import extract
    from rnncells.results.provenance import record

    began, space, out = time.perf_counter(), snakemake.params.space, snakemake.output
    observations = read_observations(
        snakemake.input.observations, snakemake.params.configurations, space
    )
    optimum, surrogate = extract(observations, space)
    write_table(surrogate, out.surrogate)
    write_json(out.optimum, optimum)
    made = record(
        rule="optimum",
        parameters={"space": dict(space)},
        seeds=[0],
        seconds=time.perf_counter() - began,
        attempt=snakemake.resources.attempt,
    )
    write_json(out.run, made)
