"""Draw one figure of a study from its tables."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.figures.drawing import draw, save
from rnncells.jobs.files import read_table
from rnncells.jobs.job import job


def main(snakemake: Snakemake) -> None:
    """Read the tables that the figure asks for, draw it, and save it as PDF and PNG."""
    w, p = snakemake.wildcards, snakemake.params
    with job(f"figure {w.study} {w.figure}", snakemake.log[0]):
        tables = {name: read_table(file) for name, file in snakemake.input.items()}
        figure = draw(p.module, p.function, tables, p.protocol)
        save(figure, snakemake.output.pdf, snakemake.output.png)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
