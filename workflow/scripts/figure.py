"""Draw one figure of a study from its tables."""

from rnncells.jobs.job import job

figure = snakemake.params.figure
with job(f"figure {snakemake.wildcards.study} {figure}", snakemake.log[0], snakemake.threads):
    from rnncells.figures import all as figures
    from rnncells.jobs.files import read_table

    tables = {name: read_table(file) for name, file in snakemake.input.items()}
    drawn = getattr(figures, figure)(**tables, protocol=snakemake.params.protocol)
    figures.save(drawn, snakemake.output.pdf, snakemake.output.png)
