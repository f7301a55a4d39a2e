"""Resolve a configuration to a plan: check it, fill in defaults, and say what every cell does.

The models say what the keys are, with the published protocols as defaults; this module adds what
depends on the task and the cells. Every mistake becomes one line that names the key and what is
allowed. PyTorch is not imported, unless a user's own task does.
"""

import ast
import csv
import itertools
import math
import re
from collections.abc import Mapping
from pathlib import Path

from ..jobs.errors import did_you_mean, one_line, shown
from ..tasks import DataSource, Settings, Task, task_class
from .catalogue import Description, describe_cell, fits
from .figures import describe_figure
from .models import (
    CellPlan,
    CellSettings,
    Configuration,
    Dimension,
    Hyperparameters,
    Search,
    SearchPlan,
    Study,
    StudyPlan,
)
from .seeds import chunks
from .validation import ConfigError, checked, plain

#: The published numbers that come with the package.
PUBLISHED = Path(__file__).parents[1] / "published"
#: Snakemake needs milliseconds and kilobytes for every job (docs/scaling.md).
MOST_RUNS = 100_000
#: The search space of the learning rate, which no cell and no task has of its own.
LEARNING_RATE = {"lr": (1e-4, 1.0, "log")}
#: Where a search without a published predecessor starts.
FIRST = {"p": 5, "lr": 0.01, "tau": 10}

Limits = Mapping[str, tuple[float, float]]


def resolve(config: Mapping, published: str | Path = PUBLISHED) -> dict[str, StudyPlan]:
    """Check a configuration and resolve it to the plan of every study.

    Args:
        config: what the user wrote.
        published: folder with the published optima.

    Raises:
        ConfigError: for the first mistake found.
    """
    given = checked(Configuration, plain(config))
    plan: dict[str, StudyPlan] = {}
    for name, study in given.studies.items():
        for made, part in _each(name, study).items():
            if made in plan:
                raise ConfigError(f"studies.{name}.each: there are two studies {made}")
            where = f"studies.{name}"
            plan[made] = _Resolving(where, part, given.device, Path(published)).plan()
    _check_number_of_runs(plan)
    return plan


def read_published(path: str | Path) -> dict[tuple[str, int], dict[str, float]]:
    """Read published optima: (cell, hidden size) -> hyperparameters."""
    rows = _published_rows(path, "surrogate_optimum")
    return {(row["cell"], int(row["hidden_size"])): _hyperparameters(row) for row in rows}


def read_first_configurations(path: str | Path) -> dict[str, dict[str, float]]:
    """Read where published searches started: cell -> hyperparameters."""
    rows = _published_rows(path, "first_configuration")
    return {row["cell"]: _hyperparameters(row) for row in rows}


def _published_rows(path: str | Path, kind: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def _hyperparameters(row: Mapping[str, str]) -> dict[str, float]:
    others = ("cell", "hidden_size", "configurations", "kind", "score", "sequences", "source")
    return {name: float(value) for name, value in row.items() if value and name not in others}


def _check_number_of_runs(plan: Mapping[str, StudyPlan]) -> None:
    runs = {
        study: sum(
            len(cell.lengths)
            * len(cell.sizes)
            * len(cell.layers)
            * -(-len(cell.seeds) // cell.seeds_per_job)
            for cell in part.cells.values()
        )
        for study, part in plan.items()
    }
    if sum(runs.values()) > MOST_RUNS:
        largest = max(runs, key=runs.__getitem__)
        raise ConfigError(
            f"studies: {sum(runs.values()):,} runs, of which {largest} has {runs[largest]:,}; "
            f"allowed: {MOST_RUNS:,}. Raise seeds_per_job, or give the studies in several files"
        )


def _each(name: str, study: Study) -> dict[str, Study]:
    """Return the studies that one with the key ``each`` stands for, by name."""
    if not study.each:
        return {name: study}
    found = {}
    for values in itertools.product(*study.each.values()):
        made = "-".join([name, *map(str, values)])
        if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", made):
            raise ConfigError(
                f"studies.{name}.each: {shown(made)} is not a valid name of a study; allowed: at "
                "most 64 letters, digits, _ and -"
            )
        chosen = dict(zip(study.each, values, strict=True))
        if twice := sorted(chosen.keys() & study.training.keys()):
            raise ConfigError(f"studies.{name}.each: {twice[0]} is in `training` too")
        found[made] = study.model_copy(update={"training": study.training | chosen})
    return found


def _merge(base: Mapping, change: Mapping) -> dict:
    """Return ``base`` with the keys of ``change`` laid over it, mappings key by key."""
    merged = dict(base)
    for key, value in change.items():
        inside = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merge(base[key], value) if inside else value
    return merged


class _Resolving:
    """One study while it is resolved."""

    def __init__(self, where: str, study: Study, device: str, published: Path):
        self.where = where
        self.study = study
        self.device = device
        self.published = published
        self.task = self._found(f"{where}.task", task_class, study.task)
        for figure in self.task.figures:
            self._found(f"{where}.task: {study.task}", describe_figure, figure)
        self.data = self._data()
        self.limits = self.task.limits(self.data)

    def plan(self) -> StudyPlan:
        """Return the study's plan."""
        where, study = self.where, self.study
        for cell in study.per_cell:
            self._described(f"{where}.per_cell", cell)
        described = {cell: self._described(f"{where}.cells", cell) for cell in study.cells}
        known = {"lr", *self.task.search_space}.union(
            *(description.search_space for description in described.values())
        )
        training = checked(self.task.Settings, study.training, f"{where}.training")
        cells = {}
        for cell, description in described.items():
            here, own_training, hyper = where, training, study.hyperparameters
            own = study.per_cell.get(cell, CellSettings())
            if cell in study.per_cell:
                here = f"{where}.per_cell.{cell}"
                own_training = checked(
                    self.task.Settings,
                    _merge(training.model_dump(), own.training),
                    f"{here}.training",
                )
                hyper = checked(
                    Hyperparameters,
                    _merge(hyper.model_dump(), own.hyperparameters),
                    f"{here}.hyperparameters",
                )
            _check_options(f"{where}.per_cell.{cell}.options", cell, own.options, description)
            cells[cell] = self._cell_plan(cell, description, own, own_training, hyper)
            # Now that nothing is missing: a value of another's may be the reason that one is.
            self._check_names(here, hyper, known)
        return StudyPlan(task=study.task, device=self.device, data=self.data, cells=cells)

    def _found(self, where: str, find, name: str):
        """Look up a class by its name; whatever a user's own source does, it is one line."""
        try:
            return find(name)
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error
        except Exception as error:
            reason = f"{type(error).__name__}: {one_line(error)}"
            raise ConfigError(f"{where}: the source of {name} cannot be read ({reason})") from error

    def _described(self, where: str, cell: str) -> Description:
        return self._found(where, describe_cell, cell)

    def _data(self) -> DataSource | None:
        if self.task.Data is not None:
            return checked(self.task.Data, self.study.data, f"{self.where}.data")
        if self.study.data:
            raise ConfigError(
                f"{self.where}.data: {self.study.task} has no data set; allowed: no key `data`"
            )
        return None

    def _check_names(self, where: str, hyper: Hyperparameters, known: set[str]) -> None:
        """Refuse values and bounds of hyperparameters that no cell of the study has."""
        for key, given in (
            ("values", hyper.values),
            ("search.space", hyper.search.space),
            ("search.first", hyper.search.first),
            ("grid", hyper.grid if hyper.source == "grid" else {}),
        ):
            for name in given:
                if name not in known:
                    raise ConfigError(
                        f"{where}.hyperparameters.{key}: no cell of the study has the parameter "
                        f"{shown(name)}{did_you_mean(name, known)}; allowed: "
                        f"{', '.join(sorted(known))}"
                    )

    def _cell_plan(
        self,
        cell: str,
        description: Description,
        own: CellSettings,
        training: Settings,
        hyper: Hyperparameters,
    ) -> CellPlan:
        where, study = self.where, self.study
        axes = {
            axis: getattr(own, axis) or getattr(study, axis)
            for axis in ("lengths", "layers", "seeds", "seeds_per_job")
        }
        axes["lengths"] = axes["lengths"] or self.task.own_lengths(training)
        if axes["lengths"] is None:
            raise ConfigError(f"{where}: the key 'lengths' is missing")
        axes |= self._sizes(cell, own)
        if (shortest := min(axes["lengths"])) < self.task.least_length:
            raise ConfigError(
                f"{where}.lengths: {shortest} is too short for {study.task}; the least allowed is "
                f"{self.task.least_length}"
            )
        self._check_readout(cell, training, description)
        for key, asked in (
            ("training.patience", training.patience is not None),
            ("hyperparameters.source: grid", hyper.source == "grid"),
        ):
            if asked and self.task.validate is Task.validate:
                raise ConfigError(
                    f"{where}.{key}: {study.task} has no validation score (the method `validate`)"
                )
        if hyper.optimum_of is not None and hyper.source != "published":
            raise ConfigError(
                f"{where}.hyperparameters.optimum_of: is for the source 'published'; the source of "
                f"{cell} is {hyper.source!r}"
            )
        try:
            self.task.check_plan(axes["lengths"], training, self.data, description.constants)
        except ValueError as error:
            raise ConfigError(f"{where}.{error} (cell {cell})") from error
        try:
            chunks(axes["seeds"], axes["seeds_per_job"])
        except ValueError as error:
            raise ConfigError(f"{where}.seeds: {error}") from error

        rate = {} if training.readout == "ridge" else LEARNING_RATE
        space = rate | self.task.search_space | description.search_space
        limits = _narrowest(description.limits, self.limits)
        sizes = [f"hidden={n}" for n in axes["hidden_sizes"]]
        sizes += [f"parameters={n}" for n in axes["parameters"]]
        search, grid = None, []
        if hyper.source == "search":
            there = f"{where}.hyperparameters.search"
            first = FIRST | self._published_first(cell) | hyper.search.first
            search = _search_plan(there, hyper.search, space, limits, first)
            values = dict.fromkeys(sizes)
        elif hyper.source == "grid":
            names = [name for name in space if name in hyper.grid]
            for numbers in itertools.product(*(hyper.grid[name] for name in names)):
                chosen = hyper.values | dict(zip(names, numbers, strict=True))
                grid.append(self._values(where, "grid", cell, chosen, space, limits, rate))
            values = dict.fromkeys(sizes)
            if len(grid) == 1:  # nothing to choose from, as for what has no learning rate
                hyper = hyper.model_copy(update={"source": "config", "values": grid.pop()})
                values = dict.fromkeys(sizes, hyper.values)
        elif hyper.source == "config":
            given = self._values(where, "values", cell, hyper.values, space, limits, rate)
            values = dict.fromkeys(sizes, given)
        else:
            values = {
                f"hidden={n}": self._published_values(cell, hyper.optimum_of, n, space, limits)
                for n in axes["hidden_sizes"]
            }
        return CellPlan(
            **axes,
            options=own.options,
            training=training,
            source=hyper.source,
            optimum_of=hyper.optimum_of,
            hyperparameters=values,
            search=search,
            grid=grid,
        )

    def _sizes(self, cell: str, own: CellSettings) -> dict[str, list[int]]:
        """Return the hidden sizes and the parameter budgets of a cell; one of the two is empty."""
        for where, given in ((f"{self.where}.per_cell.{cell}", own), (self.where, self.study)):
            if given.hidden_sizes and given.parameters:
                raise ConfigError(
                    f"{where}.parameters: there are hidden_sizes too; allowed: one of the two"
                )
            if given.hidden_sizes or given.parameters:
                return {
                    "hidden_sizes": given.hidden_sizes or [],
                    "parameters": given.parameters or [],
                }
        raise ConfigError(f"{self.where}: the key 'hidden_sizes' (or 'parameters') is missing")

    def _values(
        self,
        where: str,
        key: str,
        cell: str,
        values: Mapping[str, float],
        space: Mapping,
        limits: Limits,
        rate: Mapping,
    ) -> dict[str, float]:
        """Return those of the given values that apply to a cell, which needs those of its task."""
        there = f"{where}.hyperparameters.{key}"
        given = _given_values(there, cell, values, space, limits)
        if missing := [name for name in (*rate, *self.task.search_space) if name not in given]:
            others = f"; given: {', '.join(values)}" if values else ""
            raise ConfigError(f"{there}: {cell} needs a value for {missing[0]!r}{others}")
        return given

    def _published_first(self, cell: str) -> dict[str, float]:
        """Return where the published search of a cell started, if there is one."""
        if self.task.published_optima is None:
            return {}
        path = self.published / self.task.published_optima
        return read_first_configurations(path).get(cell, {})

    def _check_readout(self, cell: str, training: Settings, description: Description) -> None:
        if training.readout != "ridge":
            return
        where = f"{self.where}.training.readout"
        if description.constants.get("trainable", True):
            raise ConfigError(
                f"{where}: 'ridge' trains nothing but the readout, and {cell} has weights to "
                "learn; allowed: gradient (ridge is for the ESN)"
            )
        if not self.task.squared_error:
            raise ConfigError(
                f"{where}: 'ridge' needs a squared error, which {self.study.task} does not have; "
                "allowed: gradient"
            )

    def _published_values(
        self,
        cell: str,
        optimum_of: str | None,
        hidden: int,
        space: Mapping,
        limits: Limits,
    ) -> dict[str, float]:
        """Return the published optimum of a cell, or of the one named, at a hidden size."""
        where = f"{self.where}.hyperparameters.source"
        if self.task.published_optima is None:
            raise ConfigError(
                f"{where}: 'published' is for tasks with published optima, such as "
                f"trajectory_generation; allowed for {self.study.task}: config, search"
            )
        optima = read_published(self.published / self.task.published_optima)
        known = list(dict.fromkeys(name for name, _ in optima))
        if optimum_of is not None and optimum_of not in known:
            raise ConfigError(
                f"{self.where}.hyperparameters.optimum_of: nothing is published for "
                f"{shown(optimum_of)}{did_you_mean(optimum_of, known)}; allowed: {', '.join(known)}"
            )
        source = optimum_of or cell
        if (source, hidden) not in optima:
            sizes = sorted(size for name, size in optima if name == source)
            allowed = f"hidden sizes {', '.join(map(str, sizes))}" if sizes else "none"
            raise ConfigError(
                f"{where}: there is no published optimum for {source} with {hidden} units; "
                f"published for {source}: {allowed}"
            )
        found = optima[source, hidden]
        if missing := [name for name in space if name not in found]:
            hint = "; allowed for it: training.readout ridge" if missing == ["lr"] else ""
            needed = f", which {cell} needs" if source != cell else ""
            raise ConfigError(
                f"{where}: the published optimum of {source} has no "
                f"{', '.join(missing)}{needed}{hint}"
            )
        for name in space:
            _check_limits(f"{where}: the published {name}", found[name], limits.get(name))
        return {name: found[name] for name in space}


def _narrowest(*all_limits: Limits) -> dict[str, tuple[float, float]]:
    """Return the limits that hold where several do."""
    found: dict[str, tuple[float, float]] = {}
    for limits in all_limits:
        for name, (low, high) in limits.items():
            least, most = found.get(name, (-math.inf, math.inf))
            found[name] = max(low, least), min(high, most)
    return found


def _given_values(
    where: str, cell: str, values: Mapping, space: Mapping, limits: Limits
) -> dict[str, float]:
    """Return the hyperparameters that apply to the cell: shared values may name others' too."""
    given = {name: values[name] for name in space if name in values}
    for name, value in given.items():
        scale = space[name][2]
        if scale == "integer" and type(value) is not int:
            raise ConfigError(f"{where}.{name}: {value:g} is not allowed; expected an integer")
        if name == "lr" and value <= 0:
            raise ConfigError(f"{where}.{name}: {value:g} is not allowed; it must be above 0")
        _check_limits(f"{where}.{name}", value, limits.get(name))
    return given


def _search_plan(
    where: str, search: Search, space: Mapping, limits: Limits, first: Mapping[str, float]
) -> SearchPlan:
    """Return the search's settings, with bounds and start of every hyperparameter of this cell."""
    dimensions = {}
    for name, (low, high, scale) in space.items():
        if name in search.space:
            low, high = search.space[name]
            if not low < high:
                raise ConfigError(f"{where}.space.{name}: [{low:g}, {high:g}] is not ascending")
            if scale == "log" and low <= 0:
                raise ConfigError(f"{where}.space.{name}: bounds of a log scale must be above 0")
            for bound in (low, high):
                _check_limits(f"{where}.space.{name}", bound, limits.get(name))
        else:
            least, most = limits.get(name, (-math.inf, math.inf))
            low, high = max(low, least), min(high, most)
        middle = math.sqrt(low) * math.sqrt(high) if scale == "log" else (low + high) / 2
        start = min(max(first.get(name, middle), low), high)
        dimensions[name] = Dimension(low=low, high=high, scale=scale, first=start)
    return SearchPlan(
        configurations=search.configurations,
        narrowed=sorted(set(search.space) & set(space)),
        space=dimensions,
        tries=search.tries,
        batch=search.batch,
        initial=search.initial,
        seed=search.seed,
        surrogate=search.surrogate,
        evaluate=search.evaluate,
    )


def _check_options(where: str, cell: str, options: Mapping, description: Description) -> None:
    """Refuse keywords that the cell's class would refuse."""
    types = {
        name: annotation
        for name, annotation in description.options.items()
        if name not in description.search_space
    }
    for name, value in options.items():
        if name in description.search_space:
            raise ConfigError(
                f"{where}.{name}: is a hyperparameter; give it under hyperparameters.values"
            )
        if name not in types:
            raise ConfigError(
                f"{where}: {cell} has no option {shown(name)}{did_you_mean(name, types)}; "
                f"allowed: {', '.join(types) or 'none'}"
            )
        if not fits(types[name], value):
            kind = ast.unparse(types[name])
            raise ConfigError(f"{where}.{name}: {shown(value)} is not allowed; expected {kind}")
        if isinstance(value, int | float):
            _check_limits(f"{where}.{name}", value, description.limits.get(name))


def _check_limits(where: str, value: float, limits: tuple[float, float] | None) -> None:
    """Refuse a number that the cell, or the data, could not use."""
    low, high = limits or (-math.inf, math.inf)
    if not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"within {low:g} and {high:g}"
        raise ConfigError(f"{where}: {value:g} is not allowed; it must be {allowed}")
