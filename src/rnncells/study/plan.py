"""Read a configuration: check it, fill in defaults, and resolve it to a plan.

The schema says what the keys are and holds the published protocols as defaults; this module adds
the checks that a schema cannot express. Every mistake becomes one line that names the key and what
is allowed. PyTorch is not imported.
"""

import ast
import copy
import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path

from ..jobs.errors import one_line, shown
from ..tasks import FIGURES
from .catalogue import Description, describe_cell, describe_task, fits
from .seeds import chunks
from .validation import ConfigError, fill_and_check, plain

#: Snakemake needs milliseconds and kilobytes for every job (docs/scaling.md).
MOST_RUNS = 100_000
#: Coordinate pairs of a synthetic data set: 1.6 GB.
MOST_POINTS = 100_000_000


def resolve(config: Mapping, schema: Mapping, published: str | Path) -> dict:
    """Check a configuration and resolve it to a plan: ``{study: {..., "cells": {cell: {...}}}}``.

    For every study and cell, the plan holds the axes, ``seeds`` as a list, ``options``,
    ``training``, ``search``, and under ``hyperparameters`` a table from hidden size to values
    (None where they are searched).

    Args:
        config: what the user wrote.
        schema: the JSON schema.
        published: CSV file of the published optima.

    Raises:
        ConfigError: for the first mistake found.
    """
    config = plain(config)
    fill_and_check(config, schema)
    optima = read_published(published)
    plan = {
        name: _resolve_study(f"studies.{name}", study, config["device"], schema, optima)
        for name, study in config["studies"].items()
    }
    _check_number_of_runs(plan)
    return plan


def read_published(path: str | Path) -> dict[tuple[str, int], dict[str, float]]:
    """Read the published optima: (cell, hidden size) -> hyperparameters."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "surrogate_optimum"]
    names = ("p", "lr", "tau", "tau_slow", "tau_fast", "gamma", "alpha_h_prime", "connectivity")
    return {
        (row["cell"], int(row["hidden_size"])): {
            name: float(row[name]) for name in (*names, "sigma") if row[name]
        }
        for row in rows
    }


def _check_number_of_runs(plan: Mapping) -> None:
    runs = {
        study: sum(
            len(cell["lengths"])
            * len(cell["hidden_sizes"])
            * len(cell["layers"])
            * -(-len(cell["seeds"]) // cell["seeds_per_job"])
            for cell in part["cells"].values()
        )
        for study, part in plan.items()
    }
    if sum(runs.values()) > MOST_RUNS:
        largest = max(runs, key=runs.__getitem__)
        raise ConfigError(
            f"studies: {sum(runs.values()):,} runs, of which {largest} has {runs[largest]:,}; "
            f"allowed: {MOST_RUNS:,}. Raise seeds_per_job, or give the studies in several files"
        )


def _check_merged(where: str, study: Mapping, schema: Mapping) -> None:
    """Validate what a cell's own settings have changed, once they are merged."""
    parts = {"training": f"training_{study['task']}", "hyperparameters": "hyperparameters"}
    for key, definition in parts.items():
        part = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
        fill_and_check(study[key], part, f"{where}.{key}")


def _resolve_study(where: str, study: dict, device: str, schema: Mapping, optima: Mapping) -> dict:
    task = study["task"]
    per_cell = study.pop("per_cell")
    for cell in per_cell:
        _described_cell(f"{where}.per_cell", cell)
    data = _check_data(where, study)
    allowed = {"lr", *describe_task(task).search_space}
    for cell in study["cells"]:
        allowed |= set(_described_cell(f"{where}.cells", cell).search_space)
    _check_parameter_names(where, study["hyperparameters"], allowed)
    cells = {}
    for cell in study["cells"]:
        merged = study
        if cell in per_cell:
            merged = _merge(study, per_cell[cell])
            _check_merged(f"{where}.per_cell.{cell}", merged, schema)
            _check_parameter_names(f"{where}.per_cell.{cell}", merged["hyperparameters"], allowed)
        cells[cell] = _resolve_cell(where, cell, merged, data, optima)
    return {
        "task": task,
        "device": device,
        "data": data,
        "figures": list(FIGURES[task]),
        "cells": cells,
    }


def _merge(base: Mapping, change: Mapping) -> dict:
    """Return ``base`` with the keys of ``change`` laid over it, mappings key by key."""
    merged = copy.deepcopy(dict(base))
    for key, value in change.items():
        inside = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merge(base[key], value) if inside else value
    return merged


def _described_cell(where: str, cell: str) -> Description:
    try:
        return describe_cell(cell)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    # Anything may stand in a user's source; what cannot be read there can only be refused.
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise ConfigError(f"{where}: the source of {cell} cannot be read ({reason})") from error


def _check_data(where: str, study: dict) -> dict | None:
    data = study.get("data")
    if study["task"] != "trajectory_generation":
        return None
    if (file := data["file"]) is not None:
        if not os.path.isfile(file):  # unlike pathlib's, it takes names that no file can have
            raise ConfigError(f"{where}.data.file: there is no file {shown(file)}")
        if set(file) & set("{}") or not file.isprintable():
            raise ConfigError(
                f"{where}.data.file: {shown(file)} has a character that Snakemake reads otherwise; "
                "allowed: all printable ones but braces"
            )
    low, high = data["via_points"]
    if low > high:
        raise ConfigError(f"{where}.data.via_points: [{low}, {high}] is not in ascending order")
    if data["trajectories"] * data["points"] > MOST_POINTS:
        raise ConfigError(
            f"{where}.data.points: {data['trajectories']:,} trajectories of {data['points']:,} "
            f"points are too many; allowed: {MOST_POINTS:,} points in all"
        )
    return data


def _resolve_cell(where: str, cell: str, study: dict, data: dict | None, optima: Mapping) -> dict:
    description = _described_cell(f"{where}.cells", cell)
    task = describe_task(study["task"])
    training, hyper = study["training"], study["hyperparameters"]
    options = study.get("options", {})
    here = f"{where}.per_cell.{cell}"
    _check_lengths(where, study, data)
    _check_options(f"{here}.options", cell, options, description)
    ridge = training["readout"] == "ridge"
    if ridge and description.constants.get("trainable", True):
        raise ConfigError(
            f"{where}.training.readout: 'ridge' trains nothing but the readout, and {cell} has "
            "weights to learn; allowed: gradient (ridge is for the ESN)"
        )
    if ridge and not task.constants.get("squared_error", False):
        raise ConfigError(
            f"{where}.training.readout: 'ridge' needs a squared error, which {study['task']} "
            "does not have; allowed: gradient"
        )
    if ridge and training.get("initial_state") == "learned":
        raise ConfigError(f"{where}.training.initial_state: 'learned' does not go with ridge")
    if training.get("feedback", "none") != "none" and description.constants.get("causes"):
        raise ConfigError(
            f"{where}.training.feedback: {cell} has causes as its input; allowed: none"
        )

    space = task.search_space | description.search_space
    if not ridge:
        space = {"lr": (1e-4, 1.0, "log")} | space
    source, sizes = hyper["source"], study["hidden_sizes"]
    search = None
    if source == "search":
        search = _resolve_search(where, hyper["search"], space, data, description)
        values = dict.fromkeys(sizes)
    elif source == "config":
        given = _check_values(where, cell, hyper["values"], space, data, description)
        values = dict.fromkeys(sizes, given)
    elif data is None:
        raise ConfigError(
            f"{where}.hyperparameters.source: 'published' is for trajectory_generation; "
            f"allowed for {study['task']}: config, search"
        )
    else:
        values = {size: _published_values(where, cell, size, space, optima) for size in sizes}
        for optimum in values.values():
            _check_p(f"{where}.hyperparameters.source: the published p", optimum["p"], data)
    return {
        "lengths": study["lengths"],
        "hidden_sizes": sizes,
        "layers": study["layers"],
        "seeds": _seed_list(where, study["seeds"], study["seeds_per_job"]),
        "seeds_per_job": study["seeds_per_job"],
        "options": options,
        "training": training,
        "source": source,
        "hyperparameters": {str(hidden): given for hidden, given in values.items()},
        "search": search,
    }


def _published_values(
    where: str, cell: str, hidden: int, space: Mapping, optima: Mapping
) -> dict[str, float]:
    """Return the published optimum of a cell at a hidden size."""
    if (cell, hidden) not in optima:
        sizes = sorted(size for name, size in optima if name == cell)
        allowed = f"hidden sizes {', '.join(map(str, sizes))}" if sizes else "none"
        raise ConfigError(
            f"{where}.hyperparameters.source: there is no published optimum for {cell} with "
            f"{hidden} units; published for {cell}: {allowed}"
        )
    found = optima[cell, hidden]
    if missing := [name for name in space if name not in found]:
        raise ConfigError(
            f"{where}.hyperparameters.source: the published optimum of {cell} has no "
            f"{', '.join(missing)}; allowed for it: training.readout ridge"
        )
    return {name: found[name] for name in space}


def _seed_list(where: str, seeds: int | list[int], per_job: int) -> list[int]:
    if isinstance(seeds, int):
        return list(range(seeds))
    try:
        chunks(seeds, per_job)
    except ValueError as error:
        raise ConfigError(f"{where}.seeds: {error}") from error
    return seeds


def _check_lengths(where: str, study: dict, data: dict | None) -> None:
    least = {"binary_addition": 2}.get(study["task"], 1)
    for length in study["lengths"]:
        if length < least:
            raise ConfigError(
                f"{where}.lengths: {length} is too short for {study['task']}; "
                f"the least allowed is {least}"
            )
        if data is not None and data.get("file") is None and length > data["points"]:
            raise ConfigError(
                f"{where}.lengths: {length} is longer than the trajectories; "
                f"the most allowed is data.points, {data['points']}"
            )
    first = study["training"].get("first_length")
    if first is not None and study["training"]["test_length"] < min(first, *study["lengths"]):
        raise ConfigError(
            f"{where}.training.test_length: {study['training']['test_length']} is below the "
            f"first trained length, {min(first, *study['lengths'])}"
        )


def _check_options(where: str, cell: str, options: Mapping, description: Description) -> None:
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
                f"{where}: {cell} has no option {shown(name)}; "
                f"allowed: {', '.join(types) or 'none'}"
            )
        if not fits(types[name], value):
            kind = ast.unparse(types[name])
            raise ConfigError(f"{where}.{name}: {shown(value)} is not allowed; expected {kind}")
        if isinstance(value, int | float):
            _check_limits(where, name, value, description)


def _check_limits(where: str, name: str, value: float, description: Description) -> None:
    """Refuse a number that the cell itself would refuse."""
    low, high = description.limits.get(name, (None, None))
    if low is not None and not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"within {low:g} and {high:g}"
        raise ConfigError(f"{where}.{name}: {value:g} is not allowed; it must be {allowed}")


def _check_values(
    where: str,
    cell: str,
    values: Mapping,
    space: Mapping,
    data: dict | None,
    description: Description,
) -> dict[str, float]:
    """Return the hyperparameters that apply to the cell: shared values may name others' too."""
    where = f"{where}.hyperparameters.values"
    for name in ("lr", "p"):
        if name in space and name not in values:
            raise ConfigError(f"{where}: {cell} needs a value for {name!r}")
    if "p" in space:
        _check_p(f"{where}.p", values["p"], data)
    given = {name: values[name] for name in space if name in values}
    for name, value in given.items():
        _check_limits(where, name, value, description)
    return given


def _check_p(where: str, p: float, data: Mapping) -> None:
    """Refuse a number of sequences that the data do not have; a file's is not known yet."""
    if p < 1:
        raise ConfigError(f"{where}: {p:g} is not allowed; it must be at least 1")
    if data["file"] is None and p > data["trajectories"]:
        raise ConfigError(
            f"{where}: {p:g} is not allowed; it must be within 1 and data.trajectories, "
            f"{data['trajectories']}"
        )


def _check_parameter_names(where: str, hyper: Mapping, allowed: set[str]) -> None:
    """Refuse values and bounds of parameters that no cell of the study has."""
    search = hyper["search"]
    for key, given, shared in (
        ("values", hyper["values"], set()),
        ("search.space", search["space"], set()),
        # The default first point serves cells with and without a time constant.
        ("search.first", search["first"], {"p", "lr", "tau"}),
    ):
        for name in given:
            if name not in allowed | shared:
                raise ConfigError(
                    f"{where}.hyperparameters.{key}: no cell of the study has the parameter "
                    f"{shown(name)}; allowed: {', '.join(sorted(allowed))}"
                )


def _resolve_search(
    where: str, search: Mapping, space: Mapping, data: dict | None, description: Description
) -> dict:
    """Return the search's settings, with the bounds of every parameter of this cell."""
    where = f"{where}.hyperparameters.search"
    bounds = {}
    for name, (low, high, scale) in space.items():
        if name == "p" and data is not None and data.get("file") is None:
            high = min(high, data["trajectories"])
        if name in search["space"]:
            low, high = search["space"][name]
            if not low < high:
                raise ConfigError(f"{where}.space.{name}: [{low:g}, {high:g}] is not ascending")
            if scale == "log" and low <= 0:
                raise ConfigError(f"{where}.space.{name}: bounds of a log scale must be above 0")
            for bound in (low, high):
                _check_limits(f"{where}.space", name, bound, description)
                if name == "p":
                    _check_p(f"{where}.space.p", bound, data)
        first = search["first"].get(name)
        if first is None:
            first = math.sqrt(low) * math.sqrt(high) if scale == "log" else (low + high) / 2
        bounds[name] = {
            "low": low,
            "high": high,
            "scale": scale,
            "first": min(max(first, low), high),
        }
    return {
        "configurations": search["configurations"],
        "narrowed": sorted(set(search["space"]) & set(space)),
        "settings": {
            "space": bounds,
            "tries": search["tries"],
            "batch": search["batch"],
            "initial": search["initial"],
            "seed": search["seed"],
        },
    }
