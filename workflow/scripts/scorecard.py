"""Compare published claims with what has been run."""

from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.figures import scorecard as figure
from rnncells.figures.drawing import save
from rnncells.jobs.files import read_table, write_table, write_text
from rnncells.jobs.job import job
from rnncells.results.baseline import baseline_section
from rnncells.results.scorecard import Study, compare
from rnncells.results.scorecard_page import page
from rnncells.results.tablepage import table_page


def main(snakemake: Snakemake) -> None:
    """Write the scorecard as a table, a figure and a page."""
    files, out = snakemake.input, snakemake.output
    with job("scorecard", snakemake.log[0]):
        studies = {
            study["name"]: Study(
                study["task"],
                read_table(metrics),
                read_table(provenance),
                study["departures"],
                study["conditions"],
            )
            for study, metrics, provenance in zip(
                snakemake.params.studies, files.metrics, files.provenance, strict=True
            )
        }
        table = compare(pd.read_csv(files.claims), studies)
        write_table(table, out.table)
        write_text(out.table_page, table_page(table, "Scorecard"))
        save(figure.draw(table), out.pdf, out.png)
        baseline = baseline_section(pd.read_csv(files.baseline))
        write_text(out.page, page(table, Path(out.png).name, baseline))


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
