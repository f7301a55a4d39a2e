"""Write the JSON schema, and the tables of ``config/README.md``, from the models.

``python -m rnncells.study.document`` does it (``make reference``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..jobs.files import write_text
from ..tasks import Settings, task_class, task_names
from ..tasks.settings import Model
from .catalogue import cells, describe_cell
from .models import CellSettings, Configuration, Hyperparameters, Search, Study
from .plan import LEARNING_RATE

ROOT = Path(__file__).parents[3]
SCHEMA, PAGE = ROOT / "workflow/schemas/config.schema.yaml", ROOT / "config/README.md"
MODELS = (Configuration, Study, Hyperparameters, Search, CellSettings)
PLURALS = {"integer": "integers", "number": "numbers", "text": "names"}
#: Keys of the models' schemas that editors and readers do not need.
NOT_FOR_READERS = ("title", "budget")


def schema_text() -> str:
    """Return the JSON schema of a configuration, as YAML."""
    schema = Configuration.model_json_schema(ref_template="#/$defs/{model}")
    rules = []
    for name in task_names():
        task = task_class(name)
        sections = {"training": task.Settings, "data": task.Data}
        then = {}
        for section, model in sections.items():
            if model is not None:
                key = f"{section}_{name}"
                schema["$defs"][key] = model.model_json_schema(ref_template="#/$defs/{model}")
                then[section] = {"$ref": f"#/$defs/{key}"}
            else:
                then[section] = {"maxProperties": 0}
        condition = {"properties": {"task": {"const": name}}}
        rules.append({"if": condition, "then": {"properties": then}})
    schema["$defs"]["Study"]["allOf"] = rules
    head = "# Written by `make reference` from src/rnncells/study/models.py and the tasks.\n"
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _for_readers(schema)
    return head + yaml.safe_dump(schema, sort_keys=False, width=100, allow_unicode=True)


def _for_readers(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {
            key: _for_readers(value) for key, value in part.items() if key not in NOT_FOR_READERS
        }
    return [_for_readers(value) for value in part] if isinstance(part, list) else part


def page_text(page: str) -> str:
    """Return the page with its tables written anew.

    Tables stand between ``<!-- table: NAME -->`` and ``<!-- end of table -->``. Those of the
    tasks have headings, so that a new task needs no new place.
    """

    def table(match: re.Match) -> str:
        return f"{match[1]}\n{tables[match[2]]}{match[3]}"

    tables = _tables()
    return re.sub(
        r"(<!-- table: (.*?) -->)\n.*?(<!-- end of table -->)", table, page, flags=re.DOTALL
    )


def _tables() -> dict[str, str]:
    tables = {model.__name__: _keys(model) for model in MODELS}
    tables["Settings"] = _keys(Settings)
    tables["published"] = _table(
        ("task", "a length is", "`lengths`", "`hidden_sizes`", "`layers`", "seeds"),
        (
            (f"`{name}`", task.length_is, *map(_listed, _axes(task.published)))
            for name, task in ((name, task_class(name)) for name in task_names())
            if task.published
        ),
    )
    tables["hyperparameters"] = _hyperparameters()
    tasks = {name: task_class(name) for name in task_names()}
    tables["training"] = "\n".join(
        f"### `{name}`\n\n{_keys(task.Settings, leave_out=Settings.model_fields)}"
        for name, task in tasks.items()
    )
    tables["data"] = "\n".join(
        f"### `{name}`\n\n{_keys(task.Data)}" for name, task in tasks.items() if task.Data
    )
    return tables


def _axes(published) -> tuple:
    return published.lengths, published.hidden_sizes, published.layers, (published.seeds,)


def _listed(values: Sequence) -> str:
    return ", ".join(map(str, values))


def _hyperparameters() -> str:
    """List the hyperparameters of the learning rate, the tasks and the cells, with their bounds."""
    found: dict[tuple, list[str]] = {}
    for name, (low, high, scale) in LEARNING_RATE.items():
        found[name, low, high, scale, ""] = ["all, except with a ridge readout"]
    for task in task_names():
        for name, dimension in task_class(task).search_space.items():
            found[name, *dimension, ""] = [f"all, in `{task}`"]
    for cell in cells():
        description = describe_cell(cell)
        for name, dimension in description.search_space.items():
            default = description.defaults.get(name, "")
            found.setdefault((name, *dimension, default), []).append(cell)
    return _table(
        ("name", "cells", "bounds", "scale", "default"),
        (
            (f"`{name}`", _listed(users), f"{low:g} to {high:g}", scale, _number(default))
            for (name, low, high, scale, default), users in found.items()
        ),
    )


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _keys(model: type[Model], leave_out: Iterable[str] = ()) -> str:
    """Return the table of a model's keys."""
    schema = model.model_json_schema()
    required = schema.get("required", ())
    return _table(
        ("key", "type", "default", "meaning"),
        (
            (
                f"`{key}`",
                _type(part),
                "required" if key in required else f"`{_yaml(part.get('default', {}))}`",
                part["description"],
            )
            for key, part in schema["properties"].items()
            if key not in leave_out
        ),
    )


def _yaml(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    text = text.removesuffix("...\n").strip()
    return re.sub(r"^\{(.+)\}$", r"{ \1 }", text)


def _type(part: Mapping) -> str:
    """Say in words what a JSON schema allows."""
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    for several in ("anyOf", "oneOf"):
        if several in part:
            return " or ".join(map(_type, part[several]))
    match part.get("type"):
        case "array" if part.get("minItems") == part.get("maxItems") == 2:
            return "`[low, high]`"
        case "array":
            kind = _type(part["items"]).split()[0]
            return f"list of {PLURALS.get(kind, 'values')}"
        case "integer" | "number" as kind:
            if "exclusiveMinimum" in part:
                return f"{kind} above {part['exclusiveMinimum']:g}"
            return f"{kind} from {part['minimum']:g}" if "minimum" in part else kind
        case "string":
            return "text"
        case "boolean":
            return "`true`, `false`"
        case "null":
            return "`null`"
    inside = part.get("additionalProperties", True)
    if isinstance(inside, Mapping) and (kind := _type(inside)) != "mapping":
        return f"mapping of {PLURALS.get(kind, kind)}"
    return "mapping"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def written(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |\n"

    return written(head) + "|---" * len(head) + "|\n" + "".join(map(written, rows))


if __name__ == "__main__":
    write_text(SCHEMA, schema_text())
    write_text(PAGE, page_text(PAGE.read_text(encoding="utf-8")))
