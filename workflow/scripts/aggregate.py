"""Gather a study's runs into tables."""

import time

import pandas as pd
from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_table, write_text
from rnncells.jobs.job import job
from rnncells.results.comparisons import compare_cells
from rnncells.results.provenance import record
from rnncells.results.published import read_expectations
from rnncells.results.summary import solved, summarise
from rnncells.results.tablepage import table_page
from rnncells.results.tables import gather_provenance, gather_runs, gather_tables


def main(snakemake: Snakemake) -> None:
    """Read everything, summarise, and write the tables."""
    study, files, out = snakemake.wildcards.study, snakemake.input, snakemake.output
    with job(f"aggregate {study}", snakemake.log[0]):
        began = time.perf_counter()
        metrics, examples = gather_tables(files.metrics), gather_tables(files.examples)
        runs = gather_runs(files.runs)
        task = snakemake.params.task
        metrics = pd.concat([metrics, solved(metrics, runs, task["solved"])], ignore_index=True)
        summary = summarise(metrics, runs)
        comparisons = compare_cells(metrics, runs, task["metric"])
        published = read_expectations(files.get("published") or None, **task["published"])
        own = record(
            rule="aggregate",
            parameters={},
            seeds=[],
            seconds=time.perf_counter() - began,
            attempt=snakemake.resources.attempt,
        )
        provenance = gather_provenance([*files.searches, *files.runs], own)
        # Now that everything has been read, and nothing of it is damaged:
        write_table(metrics, out.metrics)
        write_table(examples, out.examples)
        write_table(runs, out.runs)
        write_table(runs, out.runs_csv)
        write_table(summary, out.summary)
        write_table(summary, out.summary_csv)
        write_table(comparisons, out.comparisons)
        write_table(comparisons, out.comparisons_csv)
        write_table(published, out.published)
        write_table(provenance, out.provenance)
        write_table(provenance, out.provenance_csv)
        write_text(out.summary_page, table_page(summary, f"Summary of {study}"))
        write_text(out.comparisons_page, table_page(comparisons, f"Comparisons in {study}"))
        write_text(out.provenance_page, table_page(provenance, f"Provenance of {study}"))


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
