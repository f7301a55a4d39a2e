"""Draw one search: convergence, and the surrogate with the optimum."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.figures import search
from rnncells.figures.drawing import save
from rnncells.jobs.files import read_json, read_table
from rnncells.jobs.job import job
from rnncells.search.observations import read_observations


def main(snakemake: Snakemake) -> None:
    """Read the search's files, draw it, and save it as PDF and PNG."""
    w, files, p = snakemake.wildcards, snakemake.input, snakemake.params
    with job(f"figure search {w.study} {w.cell}", snakemake.log[0]):
        figure = search.draw(
            read_observations(files.observations, p.configurations, p.space),
            read_json(files.optimum),
            read_table(files.surrogate),
            p.protocol,
        )
        save(figure, snakemake.output.pdf, snakemake.output.png)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
