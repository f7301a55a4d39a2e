"""Compare published baselines with what has been run."""

from pathlib import Path
from typing import Any

import pandas as pd
from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.jobs.files import read_table, write_table
from rnncells.jobs.job import job
from rnncells.results.baseline import KEY, compare_with_baseline
from rnncells.results.columns import CHANCE
from rnncells.tasks import task_class


def main(snakemake: Snakemake) -> None:
    """Collect the runs that have a published counterpart, and compare."""
    p, out = snakemake.params, snakemake.output
    with job("baseline", snakemake.log[0]):
        ours, published = [], []
        tables = dict(zip(p.studies, map(read_table, snakemake.input.metrics), strict=True))
        for name, study in p.studies.items():
            task: Any = task_class(study["task"])  # one with published rows
            settings = task.Settings(**study["training"])
            rows = task.published_rows(settings, Path(snakemake.input.published).parent)
            published.append(rows.assign(study=name))
            metrics = tables[name]
            chance = metrics.loc[metrics["metric"] == CHANCE, "value"].mean()
            for of in study["runs"]:
                if of["grid"] is None:
                    here = metrics[
                        (metrics["cell"] == of["cell"]) & (metrics["metric"] == task.metric)
                    ]
                    here = here[here["hidden"] == int(of["size"].split("=")[1])]
                else:
                    here = pd.read_csv(of["grid"]).rename(columns={task.metric: "value"})
                same = {"study": name, "cell": of["cell"], "size": of["size"], "chance": chance}
                rate = here["lr"] if of["grid"] is not None else of["lr"]
                ours.append(here[["seed", "value"]].assign(lr=rate, **same))
        mine = pd.concat(ours) if ours else pd.DataFrame(columns=[*KEY, "seed", "value", "chance"])
        theirs = (
            pd.concat(published) if published else pd.DataFrame(columns=[*KEY, "mean", "sd", "n"])
        )
        write_table(compare_with_baseline(mine, theirs), out.table)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
