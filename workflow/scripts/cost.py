"""Add up what the jobs cost."""

from rnncells.job import job

with job("cost", snakemake.log[0], snakemake.threads):
    from rnncells import figures
    from rnncells.costs import gather_costs

    table = gather_costs(snakemake.input.benchmarks)
    table.to_csv(snakemake.output.table, index=False)
    figures.save(figures.cost(table), snakemake.output.pdf, snakemake.output.png)
