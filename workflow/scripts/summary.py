"""Draw all cells on all studies, and write the table behind it."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from rnncells.jobs.script import run  # first: nothing is collected while the rest is imported
from rnncells.figures import summary
from rnncells.figures.drawing import save
from rnncells.jobs.files import read_table, write_table, write_text
from rnncells.jobs.job import job
from rnncells.results.columns import CHANCE
from rnncells.results.overview import cells_over_studies, normalised, pairs_over_studies
from rnncells.results.tablepage import table_page
from rnncells.tasks import task_class


def main(snakemake: Snakemake) -> None:
    """Put the scores of all studies on one scale, rank the cells, and draw both."""
    p, files, out = snakemake.params, snakemake.input, snakemake.output
    with job("summary", snakemake.log[0]):
        runs = dict(zip(p.studies, map(read_table, files.runs), strict=True))
        scores = normalised(runs, {name: study["best"] for name, study in p.studies.items()})
        ranking, pairs = cells_over_studies(scores), pairs_over_studies(scores)
        references: dict[str, dict[str, float]] = {}
        for (name, study), table in zip(p.studies.items(), files.summaries, strict=True):
            measured = read_table(table)
            chance = measured.loc[measured["metric"] == CHANCE, "mean"].mean()
            task = task_class(study["task"])
            known = task.references(task.Settings(**study["training"]), Path(p.published))
            for model, error in known.get(study["parameters"], {}).items():
                references.setdefault(model, {})[name] = min(max(1 - error / chance, 0.0), 1.0)
        # Published rows of cells that were trained here are the scorecard's.
        others = {m: of for m, of in references.items() if m not in set(scores["cell"])}
        write_table(scores, out.runs)
        write_text(out.runs_page, table_page(scores, "Every run between chance and perfect"))
        write_table(ranking, out.table)
        write_table(pairs, out.pairs)
        tasks = {name: study["task"] for name, study in p.studies.items()}
        save(summary.draw(scores, ranking, pairs, others, tasks), out.pdf, out.png)


if __name__ == "__main__":
    run(main, globals()["snakemake"])  # which Snakemake defines
