"""Draw one search: convergence, and the surrogate with the optimum."""

from rnncells.job import job

w = snakemake.wildcards
with job(f"figure search {w.study} {w.cell}", snakemake.log[0], snakemake.threads):
    from rnncells import figures
    from rnncells.files import read_json, read_table

    files = snakemake.input
    drawn = figures.search(
        read_table(files.observations),
        read_json(files.optimum),
        read_table(files.surrogate),
        protocol=snakemake.params.protocol,
    )
    figures.save(drawn, snakemake.output.pdf, snakemake.output.png)
