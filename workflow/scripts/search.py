"""Search one cell's hyperparameters."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_json, write_table
from rnncells.jobs.fingerprint import fingerprint
from rnncells.results.provenance import record
from rnncells.search.journal import Journal
from rnncells.search.loop import search
from rnncells.search.space import Space
from rnncells.search.trials import tried_configurations
from rnncells.tasks import task_class
from rnncells.training.job import training_job
from rnncells.training.loop import describe_device


def main(snakemake: Snakemake) -> None:
    """Try configurations until there are as many as asked for, and write what they gave."""
    p, out = snakemake.params, snakemake.output
    settings = dict(p.settings)
    with training_job(snakemake, p.spec, p.code) as job:
        space, metric = Space(settings["space"]), task_class(job.spec.task).metric
        # What a search has observed counts on whatever device it goes on; a checkpoint does not.
        code = fingerprint(job.codes, files=job.data_files)
        file = job.folder / "journal" / f"{fingerprint(job.spec.model_dump(), settings, code)}.csv"
        journal = Journal(file, space, metric, settings["tries"], out.observations)
        checkpoint = job.checkpoint()
        evaluate = tried_configurations(job.spec, job.data(), checkpoint)
        observations = search(
            space, settings, p.configurations, metric, evaluate, journal, checkpoint
        )
        write_table(observations, out.observations)
        made = record(
            rule="search",
            parameters={
                **job.spec.model_dump(),
                "search": settings,
                "configurations": p.configurations,
            },
            seeds=[settings["seed"]],
            seconds=journal.seconds,
            device=describe_device(job.device),
            code=job.codes,
            resumed=journal.resumed,
            attempt=snakemake.resources.attempt,
        )
        write_json(out.run, made)
        checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
