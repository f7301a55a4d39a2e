"""Read the optimum off a search's surrogate."""

from rnncells.job import job

w = snakemake.wildcards
with job(f"optimum {w.study} {w.cell} hidden={w.hidden}", snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    import pandas as pd

    from rnncells.optimum import extract

    optimum, surrogate = extract(pd.read_csv(snakemake.input.observations), snakemake.params.space)
    surrogate.to_parquet(snakemake.output.surrogate, index=False)
    Path(snakemake.output.optimum).write_text(json.dumps(optimum, indent=2) + "\n")
