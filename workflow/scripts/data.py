"""Make or read the data set of a study."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_array
from rnncells.jobs.job import job
from rnncells.tasks import task_class


def main(snakemake: Snakemake) -> None:
    """Write the data set as one array."""
    with job(f"data {snakemake.wildcards.study}", snakemake.log[0]):
        source = task_class(snakemake.params.task).Data
        assert source is not None  # or the rule would not run
        write_array(snakemake.output[0], source(**snakemake.params.data).make())


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
