"""Search one cell's hyperparameters."""

from rnncells.job import job

w = snakemake.wildcards
name = f"search {w.study} {w.cell} length={w.length} hidden={w.hidden} layers={w.layers}"
with job(name, snakemake.log[0], snakemake.threads):
    from pathlib import Path

    import numpy as np

    from rnncells.journal import Journal, fingerprint
    from rnncells.search import search
    from rnncells.space import Space
    from rnncells.tasks import task_class
    from rnncells.trials import tried_configurations

    p, files = snakemake.params, snakemake.input
    settings = dict(p.settings)
    space = Space(settings["space"])
    metric = task_class(p.task).metric
    arguments = {
        "task": p.task,
        "cell": w.cell,
        "length": int(w.length),
        "hidden_size": int(w.hidden),
        "layers": int(w.layers),
        "options": dict(p.options),
        "settings": dict(p.training),
        "device": p.device,
    }
    data = [files.trajectories] if files.get("trajectories") else []
    mark = fingerprint(arguments, settings, files=[*files.code, *data])
    output = Path(snakemake.output[0])
    journal = Journal(
        output.parent / "journal" / f"{mark}.csv", space, metric, settings["tries"], output
    )
    search(
        space,
        settings,
        p.configurations,
        metric,
        tried_configurations(metric, trajectories=np.load(data[0]) if data else None, **arguments),
        journal,
    ).to_csv(output, index=False)
