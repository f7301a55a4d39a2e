"""Make or read the trajectories of a study."""

from rnncells.job import job

with job(f"trajectories {snakemake.wildcards.study}", snakemake.log[0], snakemake.threads):
    import numpy as np

    from rnncells.files import whole
    from rnncells.trajectories import load, synthetic

    data = dict(snakemake.params.data)
    file = data.pop("file")
    with whole(snakemake.output[0]) as part:
        np.save(part, load(file) if file else synthetic(**data))
