"""Train every combination of a cell's grid of hyperparameters, and choose the best."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import read_array, write_json, write_table
from rnncells.jobs.fingerprint import fingerprint
from rnncells.jobs.gpu import leased
from rnncells.jobs.job import job
from rnncells.jobs.locks import locked
from rnncells.results.provenance import record
from rnncells.search.grid import best_combination, try_grid
from rnncells.study.models import RunSpec
from rnncells.training.checkpoint import Checkpoint, pause
from rnncells.training.loop import resolve_device

WAITING = "another process is at work on this grid; waiting until it has ended"


def main(snakemake: Snakemake) -> None:
    """Train, alone in the grid's folder and with a GPU of its own where one is asked for."""
    w = snakemake.wildcards
    name = f"grid {w.study} {w.cell} length={w.length} {w.size} layers={w.layers}"
    folder = Path(snakemake.output.run).parent
    with (
        job(name, snakemake.log[0]),
        locked(folder / ".lock", WAITING),
        leased(snakemake.params.spec["device"]),
    ):
        choose(snakemake, folder)


def choose(snakemake: Snakemake, folder: Path) -> None:
    """Train the whole grid, from the checkpoint if there is one, and write what it gave."""
    p, files, out = snakemake.params, snakemake.input, snakemake.output
    spec = RunSpec(**p.spec)
    combinations, seeds = [dict(values) for values in p.grid], list(p.seeds)
    device = resolve_device(spec.device)
    data = [files.data] if files.get("data") else []
    identity = {
        **spec.model_dump(),
        "grid": combinations,
        "seeds": seeds,
        "code": fingerprint(p.code[device.type], files=data),
        "device": device.type,
    }
    checkpoint = Checkpoint(folder / ".checkpoint", identity, pause())
    array = read_array(data[0]) if data else None
    table, result = try_grid(spec, combinations, seeds, array, checkpoint)
    best = best_combination(table)
    write_table(table, out.table)
    write_json(out.optimum, {"values": combinations[best], "combination": best})
    made = record(
        rule="grid",
        parameters={**spec.model_dump(), "grid": combinations},
        seeds=seeds,
        seconds=result.seconds,
        device=result.device,
        code=dict(p.code),
        resumed=result.resumed,
        attempt=snakemake.resources.attempt,
    )
    write_json(out.run, made)
    checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
