"""Make or read the trajectories of a study."""

from rnncells.jobs.job import job

with job(f"trajectories {snakemake.wildcards.study}", snakemake.log[0], snakemake.threads):
    from rnncells.jobs.files import write_array
    from rnncells.tasks.trajectories import load, synthetic

    data = dict(snakemake.params.data)
    file = data.pop("file")
    write_array(snakemake.output[0], load(file) if file else synthetic(**data))
