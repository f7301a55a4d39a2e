"""Search one cell's hyperparameters."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import read_array, write_json, write_table
from rnncells.jobs.fingerprint import fingerprint
from rnncells.jobs.gpu import leased
from rnncells.jobs.job import job
from rnncells.jobs.locks import locked
from rnncells.results.provenance import record
from rnncells.search.journal import Journal
from rnncells.search.loop import search
from rnncells.search.space import Space
from rnncells.search.trials import tried_configurations
from rnncells.study.models import RunSpec
from rnncells.tasks import task_class
from rnncells.training.checkpoint import Checkpoint, pause
from rnncells.training.loop import describe_device, resolve_device

WAITING = "another process is at work on this search; waiting until it has ended"


def main(snakemake: Snakemake) -> None:
    """Search, alone in the search's folder and with a GPU of its own where one is asked for."""
    w = snakemake.wildcards
    name = f"search {w.study} {w.cell} length={w.length} {w.size} layers={w.layers}"
    folder = Path(snakemake.output.run).parent
    with (
        job(name, snakemake.log[0]),
        locked(folder / ".lock", WAITING),
        leased(snakemake.params.spec["device"]),
    ):
        find(snakemake, folder)


def find(snakemake: Snakemake, folder: Path) -> None:
    """Try configurations until there are as many as asked for, and write what they gave."""
    p, files, out = snakemake.params, snakemake.input, snakemake.output
    spec, settings = RunSpec(**p.spec), dict(p.settings)
    space = Space(settings["space"])
    metric = task_class(spec.task).metric
    data = [files.data] if files.get("data") else []
    # What a search has observed counts on whatever device it goes on; a checkpoint does not.
    mark = fingerprint(spec.model_dump(), settings, fingerprint(dict(p.code), files=data))
    journal = Journal(
        folder / "journal" / f"{mark}.csv", space, metric, settings["tries"], out.observations
    )
    device = resolve_device(spec.device)
    code = fingerprint(p.code[device.type], files=data)
    identity = {**spec.model_dump(), "code": code, "device": device.type}
    checkpoint = Checkpoint(folder / ".checkpoint", identity, pause())
    evaluate = tried_configurations(spec, read_array(data[0]) if data else None, checkpoint)
    observations = search(space, settings, p.configurations, metric, evaluate, journal, checkpoint)
    write_table(observations, out.observations)
    made = record(
        rule="search",
        parameters={**spec.model_dump(), "search": settings, "configurations": p.configurations},
        seeds=[settings["seed"]],
        seconds=journal.seconds,
        device=describe_device(device),
        code=dict(p.code),
        resumed=journal.resumed,
        attempt=snakemake.resources.attempt,
    )
    write_json(out.run, made)
    checkpoint.remove()


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
