"""The plan, and the helper functions that turn it into file names."""

import inspect
import os
import re
import sys
from functools import cache
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Wildcards

from rnncells.study.catalogue import describe_cell
from rnncells.study.figures import describe_figure, read_figure
from rnncells.study.forecast import forecast, lines, too_large
from rnncells.study.models import Configuration
from rnncells.study.plan import PUBLISHED, resolve
from rnncells.study.read import read_or_exit
from rnncells.jobs.files import DamagedFile, refuse_apparent_damage
from rnncells.jobs.fingerprint import fingerprint
from rnncells.study.protocol import conditions, departures, describe
from rnncells.study.seeds import chunks
from rnncells.study.sources import (
    cell_modules,
    depends_on,
    fingerprint_that_holds,
    source_fingerprint,
)
from rnncells.study.validation import ConfigError
from rnncells.tasks import task_class

# Where Snakemake puts a file: elsewhere if another workflow uses this one with a prefix.
placed = workflow.modifier.path_modifier.modify

# Of two equal keys Snakemake has taken the last, and said nothing.
for file in workflow.configfiles if workflow.is_main_process else ():
    read_or_exit(file)
try:
    PLAN = resolve(config)
except ConfigError as error:
    # A mistake in the configuration is the user's, not the program's: one line, no traceback.
    sys.exit(f"Configuration error: {error}")

# What searches and trainings may take, unless --set-resources says otherwise.
MEMORY_MB = 4000
# As many as profiles/slurm makes. (Snakemake does not tell a workflow how many it will make.)
ATTEMPTS = 3


def memory_of(rule):
    """Return how much memory the last attempt at a job of a rule has, in MB."""
    given = workflow.resource_settings.overwrite_resources.get(rule, {})
    if "mem_mb" not in given:
        return MEMORY_MB
    try:
        memory = given["mem_mb"].evaluate(
            None, input=None, attempt=ATTEMPTS, threads=1, rulename=rule, async_run=None
        )
    # An expression in a job's input or wildcards has no value before there are jobs.
    except WorkflowError:
        return float("inf")
    return memory.value if isinstance(memory.value, int) else float("inf")


if workflow.is_main_process:
    FORECASTS = forecast(PLAN)
    if mistake := too_large(
        FORECASTS, {rule: memory_of(rule) for rule in ("search", "train")}
    ):
        sys.exit(f"Configuration error: {mistake}")
    for line in lines(PLAN, FORECASTS):
        logger.info(line)

# A job on a cluster reads the configuration when it starts. What it makes will be known as made with
# the parameters that its head has read, so these have to be the same.
CONFIG_HASH = fingerprint({study: part.model_dump() for study, part in PLAN.items()})
if not workflow.is_main_process:
    if os.environ.get("RNNCELLS_CONFIG_HASH", CONFIG_HASH) != CONFIG_HASH:
        sys.exit(
            "Configuration error: the configuration has changed since Snakemake was started; "
            "start it again when it has ended"
        )


# What jobs are told by environment variables is no parameter, because no number depends on it.
os.environ.update(
    RNNCELLS_CHECKPOINT_SECONDS=str(
        config.get(
            "checkpoint_seconds",
            Configuration.model_fields["checkpoint_seconds"].default,
        )
    ),
    RNNCELLS_CONFIG_HASH=CONFIG_HASH,
)

ENVIRONMENT = "../../envs/environment.yaml"
RUN = "cell={cell}/length={length}/{size}/layers={layers}"
DATA = "results/data/{study}/data.npy"
# What is said of all studies of a configuration has a folder of the configuration's name, so that another
# configuration leaves it alone.
CONFIGURATION = re.sub(
    r"[^\w.-]",
    "_",
    Path(([None, *workflow.overwrite_configfiles])[-1] or "config").stem,
)
OVERALL = f"results/overall/{CONFIGURATION}"
RUN_FILES = ("run.json", "metrics.parquet", "examples.parquet")
GRID_FILES = ("grid.csv", "optimum.json", "grid.json")
SEARCH_FILES = (
    *("observations.csv", "search.json"),
    *("optimum.json", "surrogate.parquet", "extraction.json"),
)
# What a search or a training asks for: the same for all, so it needs no function.
GPU = {} if config.get("device") == "cpu" else {"gpu": 1}


wildcard_constraints:
    study="[A-Za-z0-9][A-Za-z0-9_-]*",
    cell="[^/]+",
    length="[0-9]+",
    size="(hidden|parameters)=[0-9]+",
    layers="[0-9]+",
    seeds="[0-9]+([-+][0-9]+)*",
    figure=r"[A-Za-z0-9_.]+(:\w+)?",


def cell_plan(wildcards):
    """Return the plan of one study and cell."""
    return PLAN[wildcards.study].cells[wildcards.cell]


# Parameters are plain dictionaries, lists, text and numbers, which Snakemake can compare. Snakemake's
# lookup() would walk through the whole plan at every call, which takes minutes for thousands of jobs.
@cache
def spec_of(study, cell, length, size, layers):
    return PLAN[study].spec(cell, int(length), size, int(layers)).model_dump()


def spec(wildcards):
    """Return what a job trains, as a dictionary of :class:`rnncells.study.models.RunSpec`."""
    w = wildcards
    return spec_of(w.study, w.cell, w.length, w.size, w.layers)


def search_settings(wildcards):
    """Return what the proposals of a search depend on."""
    return cell_plan(wildcards).search.settings()


def search_space(wildcards):
    """Return the hyperparameters of a search, with their bounds."""
    return search_settings(wildcards)["space"]


def extraction(wildcards):
    """Return how the optimum is read off a search: which surrogate, and which of its minima."""
    return cell_plan(wildcards).search.model_dump(include={"surrogate", "evaluate"})


def configurations(wildcards):
    """Return how many configurations a search tries."""
    return cell_plan(wildcards).search.configurations


def grid_of(wildcards):
    """Return the combinations of a grid."""
    return cell_plan(wildcards).grid


def seeds_of(wildcards):
    """Return all seeds of a cell."""
    return cell_plan(wildcards).seeds


@cache
def code(script, *modules, **choice):
    """Return a short name for the source that a job's result comes from: its script, and modules.

    It is a parameter of the job. Snakemake compares parameters, so that new code in a file runs the
    job again. The script is named too because Snakemake's own check goes by its time, which a new
    checkout changes. As inputs the same files would be a million inputs of 30,000 jobs.
    """
    script = workflow.source_path(f"../scripts/{script}.py")
    return source_fingerprint((Path(script), *depends_on(*modules, **choice)))


def code_of_cell(script, *modules, record):
    """Return a function for the source that the numbers of a job's task and cell come from.

    It returns a short name for each kind of device on which the job may run. A change in one cell's
    file reruns that cell's jobs; ``record`` is the file that says where a finished one ran.
    """

    def names(wildcards):
        study = PLAN[wildcards.study]
        task = task_class(study.task).__module__
        cell = cell_modules(describe_cell(wildcards.cell).module)
        kinds = ("cpu", "cuda") if study.device == "auto" else (study.device,)
        current = {
            kind: code(script, *modules, task, *cell, device=kind) for kind in kinds
        }
        return fingerprint_that_holds(current, Path(placed(record.format(**wildcards))))

    return names


def figure_tables(wildcards):
    """Return the tables that a figure reads."""
    return {
        table: f"results/tables/{wildcards.study}/{table}.parquet"
        for table in describe_figure(wildcards.figure).tables
    }


def caption_of(module):
    """Return a function for the caption of the figure that a module draws.

    Snakemake compares no parameters that are made from the input: new words draw no figure again.
    """
    return lambda wildcards, input: read_figure(module).caption


def caption_of_figure(wildcards, input):
    """Return the caption of a figure of a study; as above."""
    return describe_figure(wildcards.figure).caption


def code_of_figure(wildcards):
    """Return a short name for the source that a figure comes from."""
    return code(
        "figure", "rnncells.figures.drawing", describe_figure(wildcards.figure).module
    )


def code_of_data(wildcards):
    """Return a short name for the source that a study's data set comes from."""
    source = type(PLAN[wildcards.study].data).__module__
    return code("data", source, packages=("random", "tasks"))


def protocol(wildcards):
    """Return what a figure's footnote says of the study."""
    return describe(wildcards.study, PLAN[wildcards.study])


def outcome(wildcards):
    """Return how a study's task is scored, and the axes of its published study."""
    task = task_class(PLAN[wildcards.study].task)
    axes = (
        {}
        if task.published is None
        else {"lengths": task.published.lengths, "layers": task.published.layers}
    )
    return {"metric": task.metric, "solved": task.solved, "published": axes}


def data_files(wildcards):
    """Return the files that a study's data set is made from."""
    return [local(file) for file in PLAN[wildcards.study].data.files()]


def relative(path):
    """Return a path as text, relative where it lies in this folder: the same in every copy of it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def published_file(name):
    """Return a file of published numbers."""
    return local(relative(PUBLISHED / name))


def published_optima(wildcards):
    """Return the file of published optima, for the tasks that have one."""
    name = task_class(PLAN[wildcards.study].task).published_optima
    return [] if name is None else published_file(name)


def compared_studies(wildcards):
    """Return what the scorecard has to know of the studies, in their order."""
    return [
        {
            "name": name,
            "task": study.task,
            "departures": departures(study),
            "conditions": conditions(study),
        }
        for name, study in PLAN.items()
    ]


def protocol_of_cell(wildcards):
    """Return what the footnote of one cell's figure says of the study."""
    only = {"cells": {wildcards.cell: cell_plan(wildcards)}}
    return describe(wildcards.study, PLAN[wildcards.study].model_copy(update=only))


def data_file(wildcards):
    """Return the data set, for the studies that have one."""
    return [] if PLAN[wildcards.study].data is None else DATA.format(**wildcards)


# There are thousands of trainings, and Snakemake takes a tenth of a millisecond to call a function for
# one of them. So one function returns all its inputs, one all its parameters, and all keep their
# signatures.
def called_often(function):
    """Keep the signature of a function, which Snakemake looks at whenever it calls it."""
    function.__signature__ = inspect.signature(function)
    return function


@called_often
def which_attempt(wildcards, attempt):
    """Return which attempt at a job this is, from 1, for its record."""
    return attempt


@called_often
def train_input(wildcards):
    """Return the data set, and the searched optimum, where a training has them."""
    files = {"data": data_file(wildcards)}
    if (source := cell_plan(wildcards).source) in ("search", "grid"):
        folder = {"search": "searches", "grid": "grids"}[source]
        optimum = f"results/{folder}/{{study}}/{RUN}/optimum.json"
        files["optimum"] = optimum.format(**wildcards)
    return files


code_of_training = code_of_cell(
    "train",
    "rnncells.training.loop",
    record=f"results/runs/{{study}}/{RUN}/seeds={{seeds}}/run.json",
)


@called_often
def train_settings(wildcards):
    """Return what a training depends on besides its seeds.

    The hyperparameters are None where they are searched.
    """
    hyperparameters = cell_plan(wildcards).hyperparameters
    return {
        "spec": spec(wildcards),
        "hyperparameters": hyperparameters[wildcards.size],
        "code": code_of_training(wildcards),
    }


def combinations(study, cell):
    """Yield the wildcards of all runs of a cell, seeds apart."""
    plan = PLAN[study].cells[cell]
    for length in plan.lengths:
        for size in plan.sizes:
            for layers in plan.layers:
                yield RUN.format(cell=cell, length=length, size=size, layers=layers)


@cache
def runs(study):
    """Return all runs of a study, by their axes and seeds.

    Seeds that were trained together before stay together, so that adding seeds trains only those.
    """
    found = []
    for cell, plan in PLAN[study].cells.items():
        for run in combinations(study, cell):
            before = [
                folder.name.removeprefix("seeds=")
                for folder in Path(placed(f"results/runs/{study}/{run}")).glob(
                    "seeds=*"
                )
                if any((folder / file).exists() for file in (*RUN_FILES, ".checkpoint"))
            ]
            for label in chunks(plan.seeds, plan.seeds_per_job, before):
                found.append(f"{run}/seeds={label}")
    return found


def run_files(name):
    """Return an input function for the file ``name`` of all runs of a study."""
    return lambda wildcards: [
        f"results/runs/{wildcards.study}/{run}/{name}" for run in runs(wildcards.study)
    ]


def searches(study, source="search"):
    """Return the searches of a study, or its grids, by their axes."""
    return [
        run
        for cell, plan in PLAN[study].cells.items()
        if plan.source == source
        for run in combinations(study, cell)
    ]


def search_records(wildcards):
    """Return what the searches of a study and their optima say of their origin."""
    return [
        f"results/searches/{wildcards.study}/{run}/{name}.json"
        for run in searches(wildcards.study)
        for name in ("search", "extraction")
    ] + [
        f"results/grids/{wildcards.study}/{run}/grid.json"
        for run in searches(wildcards.study, "grid")
    ]


def study_figures(wildcards):
    """Return all figures of a study."""
    study = wildcards.study
    figures = task_class(PLAN[study].task).figures
    names = [*figures, *(f"search/{run}" for run in searches(study))]
    return [
        f"results/figures/{study}/{name}.{kind}"
        for name in names
        for kind in ("pdf", "png")
    ]


def scales():
    """Return what the figure over all studies has to know of each."""
    return {
        name: {
            "task": study.task,
            "best": task_class(study.task).best_score(study.data),
            "training": next(iter(study.cells.values())).training.model_dump(),
            "parameters": max(
                (b for c in study.cells.values() for b in c.parameters), default=0
            ),
        }
        for name, study in PLAN.items()
    }


def with_baseline():
    """Return the studies whose task has published baselines, and their runs that these are about.

    Of a grid every learning rate has a published counterpart; of other runs the one that is given.
    """
    found = {}
    for name, study in PLAN.items():
        task = task_class(study.task)
        if not hasattr(task, "published_rows"):
            continue
        settings = next(iter(study.cells.values())).training
        rows = task.published_rows(settings, PUBLISHED)
        known = set(zip(rows["cell"], rows["size"]))
        here = []
        for cell, plan in study.cells.items():
            only_rates = all(set(values) == {"lr"} for values in plan.grid)
            for length, size, layers in product(plan.lengths, plan.sizes, plan.layers):
                if (cell, size) not in known or (plan.grid and not only_rates):
                    continue
                run = RUN.format(cell=cell, length=length, size=size, layers=layers)
                values = plan.hyperparameters[size] or {}
                ridge = plan.training.readout == "ridge"
                here.append(
                    {
                        "cell": cell,
                        "size": size,
                        "grid": (
                            f"results/grids/{name}/{run}/grid.csv"
                            if plan.grid
                            else None
                        ),
                        "lr": None if ridge else values.get("lr"),
                    }
                )
        if here:
            found[name] = {
                "task": study.task,
                "training": settings.model_dump(),
                "runs": here,
            }
    return found


WITH_BASELINE = with_baseline()


def baseline_grids():
    """Return the grids that published baselines are compared with."""
    runs = [run for study in WITH_BASELINE.values() for run in study["runs"]]
    return [run["grid"] for run in runs if run["grid"] is not None]


def study_files(study):
    """Return everything that a finished study has."""
    of_runs = [
        f"results/runs/{study}/{run}/{name}"
        for run in runs(study)
        for name in RUN_FILES
    ]
    of_searches = [
        f"results/searches/{study}/{run}/{name}"
        for run in searches(study)
        for name in SEARCH_FILES
    ]
    of_grids = [
        f"results/grids/{study}/{run}/{name}"
        for run in searches(study, "grid")
        for name in GRID_FILES
    ]
    data = [] if PLAN[study].data is None else [DATA.format(study=study)]
    figures = study_figures(Wildcards(fromdict={"study": study}))
    return of_runs + of_searches + of_grids + data + figures + ends_of(study)


def ends_of(study):
    """Return what a study comes to: its tables, and its page of figures."""
    return collect(rules.aggregate.output, study=study) + collect(
        rules.index.output, study=study
    )


def look_at(files):
    """Return which of the files are not there, and what is wrong with others at first sight."""
    gone, damaged = [], []
    for file in files:
        try:
            refuse_apparent_damage(placed(file))
        except FileNotFoundError:
            gone.append(file)
        except DamagedFile as error:
            damaged.append(str(error))
    return gone, damaged


@cache
def look_at_study(study):
    return look_at(study_files(study))


def wanted(study):
    """Return what the target of a study asks for: its ends, and what it once had and has no more.

    Snakemake itself would not miss what only finished jobs have read. As long as a study has none of its
    ends, these ask for the rest.
    """
    ends = ends_of(study)
    if not workflow.is_main_process or not any(os.path.exists(placed(f)) for f in ends):
        return ends
    gone, _ = look_at_study(study)
    return ends + [file for file in gone if file not in ends]
