"""Write the page that lists a study's figures."""

from rnncells.job import job

study = snakemake.wildcards.study
with job(f"index {study}", snakemake.log[0], snakemake.threads):
    from pathlib import Path

    from rnncells.index import study_page

    page = study_page(study, snakemake.input.figures, snakemake.params.protocol)
    Path(snakemake.output[0]).write_text(page)
