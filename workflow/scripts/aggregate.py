"""Gather a study's runs into tables."""

from rnncells.job import job

with job(f"aggregate {snakemake.wildcards.study}", snakemake.log[0], snakemake.threads):
    from rnncells.statistics import summarise
    from rnncells.tables import gather_runs, gather_tables

    files, out = snakemake.input, snakemake.output
    metrics, runs = gather_tables(files.metrics), gather_runs(files.runs)
    summary = summarise(metrics, runs)
    metrics.to_parquet(out.metrics, index=False)
    gather_tables(files.examples).to_parquet(out.examples, index=False)
    runs.to_parquet(out.runs, index=False)
    runs.to_csv(out.runs_csv, index=False)
    summary.to_parquet(out.summary, index=False)
    summary.to_csv(out.summary_csv, index=False)
