"""A study's protocol in words: for figures' footnotes, and for the scorecard."""

from collections.abc import Sequence

from ..tasks import task_class
from ..tasks.settings import Model
from .models import CellPlan, Hyperparameters, Search, StudyPlan

#: Training settings that the publications leave open, or that change no result.
OPEN = ("examples", "initial_state", "readout", "ridge")


def describe(name: str, study: StudyPlan) -> dict:
    """Describe a resolved study for its figures.

    Returns:
        study, task: their names.
        seeds: the least number of seeds of a cell.
        training: the settings of the first cell.
        source: where the hyperparameters come from, in words.
        metric, chance: the task's main metric, and what an untrained guess reaches on it.
        solved: what solving the task means (``Task.solved``), or None.
        synthetic: whether the data set was made here, and read from no file.
        length_is: what a length is, in words.
        size_is: what sizes of networks are: units, or parameters.
        published: whether there is a published study of this task.
        reduced: everything that is smaller than in the published study, in words; empty at
        published size.
    """
    task, cells = task_class(study.task), list(study.cells.values())
    return {
        "study": name,
        "task": study.task,
        "seeds": min(len(cell.seeds) for cell in cells),
        "training": cells[0].training.model_dump(),
        "source": _sources(study),
        "metric": task.metric,
        "chance": task.chance,
        "solved": task.solved,
        "synthetic": study.data is not None and not study.data.files(),
        "length_is": task.length_is,
        "size_is": "parameters" if any(cell.parameters for cell in cells) else "units",
        "published": task.published is not None,
        "reduced": [] if task.published is None else _reduced(study, task.published),
    }


def _sources(study: StudyPlan) -> str:
    """Say where the hyperparameters come from, and which cells have another's published optimum."""
    sources = ", ".join(dict.fromkeys(cell.source for cell in study.cells.values()))
    borrowed: dict[str, list[str]] = {}
    for name, cell in study.cells.items():
        if cell.optimum_of not in (None, name):
            borrowed.setdefault(cell.optimum_of, []).append(name)
    told = [f"; {', '.join(names)}: those of {other}" for other, names in borrowed.items()]
    return f"hyperparameters: {sources}{''.join(told)}"


def _reduced(study: StudyPlan, published) -> list[str]:
    cells = list(study.cells.values())
    reduced = _smaller([cell.training for cell in cells])
    if study.data is not None and not study.data.files():
        reduced += _smaller([study.data])
    if searches := [cell.search for cell in cells if cell.search]:
        fewest, known = min(s.configurations for s in searches), Search().configurations
        if fewest < known:
            reduced.append(f"{fewest:,} of {known:,} search configurations")
        if narrowed := sorted({name for search in searches for name in search.narrowed}):
            reduced.append(f"own search bounds of {', '.join(narrowed)}")
    for axis in ("lengths", "hidden_sizes", "parameters"):
        known = getattr(published, axis)
        given = [values for cell in cells if (values := getattr(cell, axis))]
        if known and (smaller := [values for values in given if max(values) < max(known)]):
            shown = ", ".join(map(str, sorted(set().union(*smaller))))
            reduced.append(f"{axis.replace('_', ' ')} {shown}, not {', '.join(map(str, known))}")
    seeds = min(len(cell.seeds) for cell in cells)
    if seeds < published.seeds:
        reduced.append(f"{seeds} of {published.seeds} seeds")
    return reduced


def _smaller(settings: Sequence[Model]) -> list[str]:
    """Say which settings that count as budget are below their defaults, the published values."""
    found = []
    for key, field in type(settings[0]).model_fields.items():
        if (field.json_schema_extra or {}).get("budget"):
            least = min(getattr(part, key) for part in settings)
            name = key.replace("_", " ")
            if isinstance(least, list):
                if least < field.default:
                    found.append(f"{_range(least)} {name}, not {_range(field.default)}")
            elif least < field.default:
                found.append(f"{least:,} of {field.default:,} {name}")
    return found


def _range(bounds: Sequence[int]) -> str:
    return "-".join(map(str, bounds))


def departures(study: StudyPlan) -> dict[str, dict[str, str]]:
    """Return how each cell's protocol departs from the published one: cell -> setting -> words.

    The axes and the number of seeds are left out: results are compared at the same axes, with their
    number of seeds. So are settings that the publications leave open (:data:`OPEN`).
    """
    data = {}
    if study.data is not None and not study.data.files():
        data = _changed(study.data, ignored=("seed",))
    return {
        name: data
        | _changed(cell.training, ignored=OPEN)
        | _changed_hyperparameters(study, name, cell)
        for name, cell in study.cells.items()
    }


def _changed(settings: Model, ignored: Sequence[str]) -> dict[str, str]:
    """Say which settings do not have their defaults, the published values."""
    found = {}
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if key not in ignored and value != field.default:
            found[key] = f"{key} {_shown(value)}, published {_shown(field.default)}"
    return found


def _changed_hyperparameters(study: StudyPlan, name: str, cell: CellPlan) -> dict[str, str]:
    if cell.source == "published":
        if cell.optimum_of in (None, name):
            return {}
        return {"hyperparameters": f"the published optimum of {cell.optimum_of}"}
    optima = task_class(study.task).published_optima
    if cell.source == "config":
        published = Hyperparameters().values
        given = next(iter(cell.hyperparameters.values())) or {}
        if optima is None and given.get("lr") == published["lr"]:
            return {}
        by_hand = f"lr {given.get('lr')}, published {published['lr']}"
        return {"hyperparameters": "hyperparameters chosen by hand" if optima else by_hand}
    if optima is None:
        return {"hyperparameters": "learning rate searched, not the published one"}
    found = {}
    if cell.search.configurations < Search().configurations:
        budget = f"{cell.search.configurations} of {Search().configurations} search configurations"
        found["configurations"] = budget
    if cell.search.narrowed:
        found["space"] = f"own search bounds of {', '.join(cell.search.narrowed)}"
    return found


def conditions(study: StudyPlan) -> str:
    """Return in words what a reader of a study's results has to know besides its departures."""
    found = [_sources(study)]
    if study.data is not None:
        found.insert(0, "data of a file" if study.data.files() else "synthetic trajectories")
    return ", ".join(found)


def _shown(value: object) -> str:
    return _range(value) if isinstance(value, list) else str(value)
