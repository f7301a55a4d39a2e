"""Add up what the jobs cost."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.figures import cost
from rnncells.figures.drawing import save
from rnncells.jobs.files import write_table
from rnncells.jobs.job import job
from rnncells.results.costs import gather_costs


def main(snakemake: Snakemake) -> None:
    """Write the table and the figure of the costs."""
    with job("cost", snakemake.log[0]):
        table = gather_costs(snakemake.input.provenance)
        write_table(table, snakemake.output.table)
        save(cost.draw(table), snakemake.output.pdf, snakemake.output.png)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
