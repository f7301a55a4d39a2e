"""Write the page that lists a study's figures."""

from rnncells.jobs.job import job

study = snakemake.wildcards.study
with job(f"index {study}", snakemake.log[0], snakemake.threads):
    from pathlib import Path

    from rnncells.jobs.files import write_text
    from rnncells.results.pages import study_page

    file = Path(snakemake.output[0])
    page = study_page(study, file.parent, snakemake.input.figures, snakemake.params.protocol)
    write_text(file, page)
