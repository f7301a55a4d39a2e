"""Gather a study's runs into tables."""

from rnncells.job import job

with job(f"aggregate {snakemake.wildcards.study}", snakemake.log[0], snakemake.threads):
    from rnncells.statistics import summarise
    from rnncells.tables import gather_runs, gather_tables, write_table

    files, out = snakemake.input, snakemake.output
    metrics, runs = gather_tables(files.metrics), gather_runs(files.runs)
    summary = summarise(metrics, runs)
    write_table(metrics, out.metrics)
    write_table(gather_tables(files.examples), out.examples)
    write_table(summary, out.summary)
    write_table(summary, out.summary_csv)
    write_table(runs, out.runs)
    write_table(runs, out.runs_csv)
