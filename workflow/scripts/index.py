"""Write the page that lists a study's figures."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_text
from rnncells.jobs.job import job
from rnncells.results.pages import study_page


def main(snakemake: Snakemake) -> None:
    """Write the page beside the figures."""
    study, file = snakemake.wildcards.study, Path(snakemake.output[0])
    with job(f"index {study}", snakemake.log[0]):
        figures, protocol = snakemake.input.figures, snakemake.params.protocol
        write_text(file, study_page(study, file.parent, figures, protocol))


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
