"""Add up what the jobs cost."""

from rnncells.jobs.job import job

with job("cost", snakemake.log[0], snakemake.threads):
    from rnncells.figures import all as figures
    from rnncells.results.costs import gather_costs
    from rnncells.jobs.files import write_table

    table = gather_costs(snakemake.input.provenance)
    write_table(table, snakemake.output.table)
    figures.save(figures.cost(table), snakemake.output.pdf, snakemake.output.png)
