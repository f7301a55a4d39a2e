"""Draw one figure of a study from its tables."""

from rnncells.jobs.job import job

w, p = snakemake.wildcards, snakemake.params
with job(f"figure {w.study} {w.figure}", snakemake.log[0], snakemake.threads):
    from rnncells.figures.drawing import draw, save
    from rnncells.jobs.files import read_table

    tables = {name: read_table(file) for name, file in snakemake.input.items()}
    figure = draw(p.module, p.function, tables, p.protocol)
    save(figure, snakemake.output.pdf, snakemake.output.png)
