"""Train one cell's population of seeds."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.results.runs import read_optimum, write_run
from rnncells.study.seeds import parse
from rnncells.training.job import training_job
from rnncells.training.loop import train


def main(snakemake: Snakemake) -> None:
    """Train the seeds, from the checkpoint if there is one, and write the run's files."""
    settings = snakemake.params.settings
    with training_job(snakemake, settings["spec"], settings["code"]) as job:
        searched = snakemake.input.get("optimum")
        values = read_optimum(searched) if searched else settings["hyperparameters"]
        seeds = parse(snakemake.wildcards.seeds)
        hyperparameters = [dict(values)] * len(seeds)
        checkpoint = job.checkpoint(seeds=seeds, hyperparameters=hyperparameters)
        result = train(job.spec, seeds, hyperparameters, job.data(), checkpoint)
        write_run(
            result,
            seeds=seeds,
            hyperparameters=hyperparameters,
            parameters=job.spec.model_dump(),
            code=job.codes,
            attempt=snakemake.resources.attempt,
            **dict(snakemake.output.items()),
        )
        checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
