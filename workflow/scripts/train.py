"""Train one cell's population of seeds."""

from rnncells.job import job

w = snakemake.wildcards
name = f"train {w.study} {w.cell} length={w.length} hidden={w.hidden} layers={w.layers}"
with job(f"{name} seeds={w.seeds}", snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    import numpy as np

    from rnncells.runs import write_run
    from rnncells.seeds import parse
    from rnncells.training import train

    p, files = snakemake.params, snakemake.input
    searched = files.get("optimum")
    values = json.loads(Path(searched).read_text())["values"] if searched else p.hyperparameters
    seeds = parse(w.seeds)
    hyperparameters = [dict(values)] * len(seeds)
    parameters = {
        "task": p.task,
        "cell": w.cell,
        "length": int(w.length),
        "hidden_size": int(w.hidden),
        "layers": int(w.layers),
        "options": dict(p.options),
        "settings": dict(p.training),
        "device": p.device,
    }
    result = train(
        **parameters,
        seeds=seeds,
        hyperparameters=hyperparameters,
        trajectories=np.load(files.trajectories) if files.get("trajectories") else None,
    )
    write_run(
        result,
        seeds=seeds,
        hyperparameters=hyperparameters,
        parameters=parameters,
        **dict(snakemake.output.items()),
    )
