"""Add up what the jobs cost."""

from rnncells.jobs.job import job

with job("cost", snakemake.log[0], snakemake.threads):
    from rnncells.figures import cost
    from rnncells.figures.drawing import save
    from rnncells.jobs.files import write_table
    from rnncells.results.costs import gather_costs

    table = gather_costs(snakemake.input.provenance)
    write_table(table, snakemake.output.table)
    save(cost.draw(table), snakemake.output.pdf, snakemake.output.png)
