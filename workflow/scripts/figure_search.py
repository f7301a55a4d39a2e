"""Draw one search: convergence, and the surrogate with the optimum."""

from rnncells.jobs.job import job

w = snakemake.wildcards
with job(f"figure search {w.study} {w.cell}", snakemake.log[0], snakemake.threads):
    from rnncells.figures import search
    from rnncells.figures.drawing import save
    from rnncells.jobs.files import read_json, read_table
    from rnncells.search.observations import read_observations

    files, p = snakemake.input, snakemake.params
    figure = search.draw(
        read_observations(files.observations, p.configurations, p.space),
        read_json(files.optimum),
        read_table(files.surrogate),
        p.protocol,
    )
    save(figure, snakemake.output.pdf, snakemake.output.png)
