"""Read the optimum off a search's surrogate."""

from rnncells.job import job

w = snakemake.wildcards
with job(f"optimum {w.study} {w.cell} hidden={w.hidden}", snakemake.log[0], snakemake.threads):
    import json
    import time

    import pandas as pd

    from rnncells.files import write_text
    from rnncells.optimum import extract
    from rnncells.provenance import write_record
    from rnncells.tables import write_table

    began, space, out = time.perf_counter(), snakemake.params.space, snakemake.output
    optimum, surrogate = extract(pd.read_csv(snakemake.input.observations), space)
    write_table(surrogate, out.surrogate)
    write_text(out.optimum, json.dumps(optimum, indent=2) + "\n")
    write_record(
        out.run,
        rule="optimum",
        parameters={"space": dict(space)},
        seeds=[0],
        seconds=time.perf_counter() - began,
        attempt=snakemake.resources.attempt,
    )
