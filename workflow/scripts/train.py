"""Train one cell's population of seeds."""

from pathlib import Path

from rnncells.jobs.job import job
from rnncells.jobs.gpu import leased
from rnncells.jobs.locks import locked

w, files, out = snakemake.wildcards, snakemake.input, snakemake.output
told = snakemake.params.settings
folder = Path(out.run).parent
name = f"train {w.study} {w.cell} length={w.length} hidden={w.hidden} layers={w.layers}"
with (
    job(f"{name} seeds={w.seeds}", snakemake.log[0], snakemake.threads),
    locked(folder / ".lock", "another process trains these seeds; waiting until it has ended"),
    leased(told["device"]),
):
    from rnncells.training.checkpoint import Checkpoint, pause
    from rnncells.jobs.files import read_array
    from rnncells.jobs.fingerprint import fingerprint
    from rnncells.results.runs import read_optimum, write_run
    from rnncells.study.seeds import parse
    from rnncells.training.loop import resolve_device, train

    searched = files.get("optimum")
    values = read_optimum(searched) if searched else told["hyperparameters"]
    seeds = parse(w.seeds)
    hyperparameters = [dict(values)] * len(seeds)
    parameters = {
        "task": told["task"],
        "cell": w.cell,
        "length": int(w.length),
        "hidden_size": int(w.hidden),
        "layers": int(w.layers),
        "options": told["options"],
        "settings": told["training"],
        "device": told["device"],
    }
    data = [files.trajectories] if files.get("trajectories") else []
    identity = {
        **parameters,
        "seeds": seeds,
        "hyperparameters": hyperparameters,
        "code": fingerprint(told["code"], files=data),
        "device": resolve_device(told["device"]).type,
    }
    checkpoint = Checkpoint(folder / ".checkpoint", identity, pause())
    result = train(
        **parameters,
        seeds=seeds,
        hyperparameters=hyperparameters,
        trajectories=read_array(data[0]) if data else None,
        checkpoint=checkpoint,
    )
    write_run(
        result,
        seeds=seeds,
        hyperparameters=hyperparameters,
        parameters=parameters,
        attempt=snakemake.resources.attempt,
        **dict(out.items()),
    )
    checkpoint.remove()
