"""What a study did, in words: what a figure's footnote says of budget and hyperparameters."""

from collections.abc import Mapping

from .catalogue import describe_task

#: The axes and seeds of the published studies; their training protocols are the schema's defaults.
PUBLISHED_SEEDS = {"copy_first_input": 1, "binary_addition": 5, "trajectory_generation": 10}
PUBLISHED_LENGTHS = {
    "copy_first_input": [5, 100, 300],
    "binary_addition": [20],
    "trajectory_generation": [60],
}
PUBLISHED_HIDDEN = {
    "copy_first_input": [100],
    "binary_addition": [100],
    "trajectory_generation": [30, 40, 60],
}
#: Settings whose smaller values mean a smaller budget, or an easier task.
BUDGET = (
    "train_sequences",
    "test_sequences",
    "epochs",
    "epochs_per_length",
    "samples_per_epoch",
    "test_length",
    "test_samples",
    "iterations",
)


def describe(name: str, study: Mapping, schema: Mapping) -> dict:
    """Describe a resolved study: its name, task, seeds, training, source and what is reduced.

    ``metric`` names the task's own number and ``chance`` is its chance level. ``reduced`` lists,
    in words, everything that is smaller than in the published study; it is empty at published size.
    """
    cells = study["cells"].values()
    task = study["task"]
    first = next(iter(cells))
    definition = schema["$defs"][f"training_{task}"]["properties"]
    reduced = []
    for key in BUDGET:
        if key in definition:
            _add(reduced, key, min(cell["training"][key] for cell in cells), definition[key])
    if study["data"] is not None and study["data"]["file"] is None:
        trajectories = schema["$defs"]["trajectories"]["properties"]
        _add(reduced, "trajectories", study["data"]["trajectories"], trajectories["trajectories"])
        easiest, published = study["data"]["via_points"], trajectories["via_points"]["default"]
        if tuple(easiest) < tuple(published):
            reduced.append(f"{_range(easiest)} via-points, not {_range(published)}")
    searches = [cell["search"] for cell in cells if cell["search"]]
    if searches:
        fewest = min(search["configurations"] for search in searches)
        known = schema["$defs"]["search"]["properties"]["configurations"]
        _add(reduced, "search configurations", fewest, known)
        if narrowed := sorted({name for search in searches for name in search["narrowed"]}):
            reduced.append(f"own search bounds of {', '.join(narrowed)}")
    for axis, published in (
        ("lengths", PUBLISHED_LENGTHS[task]),
        ("hidden_sizes", PUBLISHED_HIDDEN[task]),
    ):
        smaller = [cell[axis] for cell in cells if max(cell[axis]) < max(published)]
        if smaller:
            shown = ", ".join(map(str, sorted(set().union(*smaller))))
            reduced.append(
                f"{axis.replace('_', ' ')} {shown}, not {', '.join(map(str, published))}"
            )
    sources = dict.fromkeys(cell["source"] for cell in cells)
    constants = describe_task(task).constants
    seeds = min(len(cell["seeds"]) for cell in cells)
    if seeds < PUBLISHED_SEEDS[task]:
        reduced.append(f"{seeds} of {PUBLISHED_SEEDS[task]} seeds")
    return {
        "study": name,
        "task": task,
        "seeds": seeds,
        "metric": constants["metric"],
        "chance": constants["chance"],
        "training": first["training"],
        "source": f"hyperparameters: {', '.join(sources)}",
        "reduced": reduced,
    }


def _add(reduced: list[str], key: str, value: float, definition: Mapping) -> None:
    if value < definition["default"]:
        reduced.append(f"{value:,} of {definition['default']:,} {key.replace('_', ' ')}")


def _range(bounds) -> str:
    return "-".join(map(str, bounds))
