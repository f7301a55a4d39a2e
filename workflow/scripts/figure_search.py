"""Draw one search: convergence, and the surrogate with the optimum."""

from rnncells.job import job

w = snakemake.wildcards
with job(f"figure search {w.study} {w.cell}", snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    import pandas as pd

    from rnncells import figures

    files = snakemake.input
    drawn = figures.search(
        pd.read_csv(files.observations),
        json.loads(Path(files.optimum).read_text()),
        pd.read_parquet(files.surrogate),
        protocol=snakemake.params.protocol,
    )
    figures.save(drawn, snakemake.output.pdf, snakemake.output.png)
