"""Train one cell's population of seeds."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import read_array
from rnncells.jobs.fingerprint import fingerprint
from rnncells.jobs.gpu import leased
from rnncells.jobs.job import job
from rnncells.jobs.locks import locked
from rnncells.results.runs import read_optimum, write_run
from rnncells.study.models import RunSpec
from rnncells.study.seeds import parse
from rnncells.training.checkpoint import Checkpoint, pause
from rnncells.training.loop import resolve_device, train

WAITING = "another process trains these seeds; waiting until it has ended"


def main(snakemake: Snakemake) -> None:
    """Train, alone in the run's folder and with a GPU of its own where one is asked for."""
    w = snakemake.wildcards
    name = f"train {w.study} {w.cell} length={w.length} {w.size} layers={w.layers}"
    folder = Path(snakemake.output.run).parent
    with (
        job(f"{name} seeds={w.seeds}", snakemake.log[0]),
        locked(folder / ".lock", WAITING),
        leased(snakemake.params.settings["spec"]["device"]),
    ):
        learn(snakemake, folder)


def learn(snakemake: Snakemake, folder: Path) -> None:
    """Train the seeds, from the checkpoint if there is one, and write the run's files."""
    w, files, settings = snakemake.wildcards, snakemake.input, snakemake.params.settings
    spec = RunSpec(**settings["spec"])
    searched = files.get("optimum")
    values = read_optimum(searched) if searched else settings["hyperparameters"]
    seeds = parse(w.seeds)
    hyperparameters = [dict(values)] * len(seeds)
    device = resolve_device(spec.device)
    data = [files.data] if files.get("data") else []
    identity = {
        **spec.model_dump(),
        "seeds": seeds,
        "hyperparameters": hyperparameters,
        "code": fingerprint(settings["code"][device.type], files=data),
        "device": device.type,
    }
    checkpoint = Checkpoint(folder / ".checkpoint", identity, pause())
    array = read_array(data[0]) if data else None
    result = train(spec, seeds, hyperparameters, array, checkpoint)
    write_run(
        result,
        seeds=seeds,
        hyperparameters=hyperparameters,
        parameters=spec.model_dump(),
        code=settings["code"],
        attempt=snakemake.resources.attempt,
        **dict(snakemake.output.items()),
    )
    checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
