"""Compare the cells over all studies."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import read_table, write_table, write_text
from rnncells.jobs.job import job
from rnncells.results.comparisons import improvements, over_tasks
from rnncells.results.tablepage import table_page


def main(snakemake: Snakemake) -> None:
    """Read the runs of every study, and write a row per cell, and one per pair of cells."""
    with job("across tasks", snakemake.log[0]):
        studies = dict(zip(snakemake.params.studies, map(read_table, snakemake.input), strict=True))
        cells, pairs = over_tasks(studies), improvements(studies)
        write_table(cells, snakemake.output.cells)
        write_table(pairs, snakemake.output.improvements)
        write_text(snakemake.output.cells_page, table_page(cells, "Cells over all tasks"))
        page = table_page(pairs, "Probability of improvement")
        write_text(snakemake.output.improvements_page, page)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
