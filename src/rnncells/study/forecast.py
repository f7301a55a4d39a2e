"""Lower bounds of the memory and time that the jobs of a plan need, before any of them runs.

A training of S members keeps, for every layer and step of the batch, at least two numbers per unit
(the state, and its gradient), and for every recurrent weight four (weight, gradient, and Adam's two
moments). Its recurrence takes three matrix products per step (forward, gradient of the state,
gradient of the weights). Cells with gates need a few times as much.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from ..tasks import Task, task_class
from ..tasks.base import Workload
from ..tasks.settings import Settings
from .catalogue import describe_cell
from .models import CellPlan, StudyPlan

#: Memory of Python, PyTorch and the compiled kernels, in MB.
BASE_MB = 350
#: Floating-point operations per second that no core exceeds in practice.
SPEED = 200e9
BYTES = 4  # of a float32


@dataclass(frozen=True)
class Forecast:
    """Lower bounds for the largest job of a study and rule.

    Attributes:
        study, cell: whose job it is.
        rule: ``train`` or ``search``.
        length, size, layers: its axes; the size as in file names, such as ``hidden=100``.
        jobs: how many jobs of this rule the study has.
        memory_mb: memory in MB.
        seconds: time on one core.
    """

    study: str
    cell: str
    rule: str
    length: int
    size: str
    layers: int
    jobs: int
    memory_mb: float
    seconds: float


def forecast(plan: Mapping[str, StudyPlan]) -> list[Forecast]:
    """Return the job of each study and rule that takes the most memory."""
    found = []
    for name, study in plan.items():
        for rule in ("search", "train"):
            jobs = [job for cell in study.cells for job in _jobs(name, study, cell, rule)]
            if jobs:
                largest = max(jobs, key=lambda job: (job.memory_mb, job.seconds))
                number = sum(job.jobs for job in jobs)
                found.append(Forecast(**(vars(largest) | {"jobs": number})))
    return found


def _jobs(name: str, study: StudyPlan, cell: str, rule: str) -> Iterator[Forecast]:
    """Yield the jobs of a cell, one per combination of its axes."""
    plan = study.cells[cell]
    if rule == "search":
        if plan.search is None:
            return
        members = plan.search.batch * plan.search.tries
        rounds, jobs = plan.search.configurations / plan.search.batch, 1
    else:
        members = min(plan.seeds_per_job, len(plan.seeds))
        rounds, jobs = 1, -(-len(plan.seeds) // plan.seeds_per_job)
    trained = describe_cell(cell).constants.get("trainable", True)
    for length, size, layers in product(plan.lengths, plan.sizes, plan.layers):
        task = task_class(study.task)
        work = task.workload(length, plan.training, study.data, _largest(plan, size, rule))
        work = work or _least(task, length, plan.training)
        n = _units(size, layers)
        weights, units = layers * n * n, layers * n * work.sequences * work.steps
        kept = 4 * weights + 2 * units if trained else weights + n * work.sequences
        operations = units * n * (6 if trained else 2) * (1 if trained else 1 / work.iterations)
        yield Forecast(
            study=name,
            cell=cell,
            rule=rule,
            length=length,
            size=size,
            layers=layers,
            jobs=jobs,
            memory_mb=BASE_MB + BYTES * members * (kept + work.numbers) / 1e6,
            seconds=rounds * members * work.iterations * operations / SPEED,
        )


def _least(task: type[Task], length: int, settings: Settings) -> Workload:
    """Return what a task has to compute that does not say it, by the names that settings have."""
    return Workload(
        sequences=getattr(settings, "batch_size", 1),
        steps=length if task.length_is == Task.length_is else 1,
        iterations=getattr(settings, "iterations", getattr(settings, "epochs", 1)),
    )


def _units(size: str, layers: int) -> float:
    """Return the units of a layer; for a budget of parameters, as many as an LSTM's has."""
    kind, _, number = size.partition("=")
    return int(number) if kind == "hidden" else (int(number) / (8 * layers)) ** 0.5


def _largest(plan: CellPlan, size: str, rule: str) -> dict[str, float]:
    """Return the hyperparameters of a job, the largest that a search may try."""
    if plan.search is None:
        return dict(plan.hyperparameters[size] or (plan.grid[0] if plan.grid else {}))
    # What a search finds is only known to lie in its bounds.
    bound = "high" if rule == "search" else "low"
    return {name: getattr(dimension, bound) for name, dimension in plan.search.space.items()}


def too_large(forecasts: list[Forecast], memory_mb: Mapping[str, float]) -> str | None:
    """Return what is wrong with the first job that needs more memory than its rule has."""
    for job in forecasts:
        if job.memory_mb > memory_mb[job.rule]:
            return (
                f"studies.{job.study}: a {job.rule} job of {job.cell} with length {job.length:,}, "
                f"{_shown(job.size)} and {job.layers:,} layers needs at least "
                f"{_memory(job.memory_mb)} of memory; allowed: {_memory(memory_mb[job.rule])} "
                f"(--set-resources {job.rule}:mem_mb=... allows more)"
            )
    return None


def lines(plan: Mapping[str, StudyPlan], forecasts: list[Forecast]) -> list[str]:
    """Return what a user may want to know before the jobs run, in words."""
    said = [
        f"{job.study}: {job.jobs:,} {job.rule} job{'s' * (job.jobs > 1)}; the largest ({job.cell}, "
        f"length {job.length:,}, {_shown(job.size)}) takes at least "
        f"{_memory(job.memory_mb)} and, to its last step, {_time(job.seconds)} of a core"
        for job in forecasts
    ]
    for name, study in plan.items():
        allowed = task_class(study.task).limits(study.data)
        defaults = task_class(study.task).search_space
        for parameter in sorted(set(allowed) & set(defaults)):
            most = allowed[parameter][1]
            if most < defaults[parameter][1] and any(
                cell.search and parameter not in cell.search.narrowed
                for cell in study.cells.values()
            ):
                said.append(
                    f"{name}: {parameter} is searched up to {most:,}, not to "
                    f"{defaults[parameter][1]:,}, because the data set has no more"
                )
    return said


def _shown(size: str) -> str:
    kind, _, number = size.partition("=")
    return f"{int(number):,} {'units' if kind == 'hidden' else kind}"


def _memory(megabytes: float) -> str:
    return f"{megabytes:,.0f} MB" if megabytes < 10_000 else f"{megabytes / 1000:,.0f} GB"


def _time(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(1, round(seconds))} s"
