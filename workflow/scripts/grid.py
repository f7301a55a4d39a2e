"""Train every combination of a cell's grid of hyperparameters, and choose the best."""

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import write_json, write_table
from rnncells.results.provenance import record
from rnncells.search.grid import best_combination, try_grid
from rnncells.training.job import training_job


def main(snakemake: Snakemake) -> None:
    """Train the whole grid, from the checkpoint if there is one, and write what it gave."""
    p, out = snakemake.params, snakemake.output
    combinations, seeds = [dict(values) for values in p.grid], list(p.seeds)
    with training_job(snakemake, p.spec, p.code) as job:
        checkpoint = job.checkpoint(grid=combinations, seeds=seeds)
        table, result = try_grid(job.spec, combinations, seeds, job.data(), checkpoint)
        best = best_combination(table)
        write_table(table, out.table)
        write_json(out.optimum, {"values": combinations[best], "combination": best})
        made = record(
            rule="grid",
            parameters={**job.spec.model_dump(), "grid": combinations},
            seeds=seeds,
            seconds=result.seconds,
            device=result.device,
            code=job.codes,
            resumed=result.resumed,
            attempt=snakemake.resources.attempt,
        )
        write_json(out.run, made)
        checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
