"""Make or read the trajectories of a study."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.files import write_array
from rnncells.jobs.job import job
from rnncells.tasks.trajectories import load, synthetic


def main(snakemake: Snakemake) -> None:
    """Write the trajectories as one array."""
    with job(f"trajectories {snakemake.wildcards.study}", snakemake.log[0]):
        data = dict(snakemake.params.data)
        file = data.pop("file")
        write_array(snakemake.output[0], load(file) if file else synthetic(**data))


if __name__ == "__main__":
    main(globals()["snakemake"])  # which Snakemake defines
