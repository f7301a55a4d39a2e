"""Check a configuration against its schema, and say what is wrong in one line."""

import copy
import difflib
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ..jobs.errors import shown

#: Far above what a person writes: levels of nesting, and entries in all.
DEEPEST = 20
LARGEST = 200_000


class ConfigError(ValueError):
    """A mistake in the configuration, told in one line."""


def load_schema(path: str | Path) -> dict:
    """Read the configuration's schema (YAML)."""
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def plain(config: Mapping) -> dict:
    """Return a copy of a configuration made of dictionaries, lists, text and finite numbers only.

    YAML can say more: keys that are not text, dates, NaN, a structure that contains itself, or a
    few lines that stand for billions of entries.

    Raises:
        ConfigError: for numbers that are not finite, and for too many entries or levels.
    """
    entries = 0

    def copied(value: Any, path: tuple) -> Any:
        nonlocal entries
        entries += 1
        if entries > LARGEST:
            raise ConfigError(f"{_joined(path[:2])}: more than {LARGEST:,} entries; allowed: fewer")
        if len(path) > DEEPEST:
            raise ConfigError(
                f"{_joined(path[:4])}: nested more than {DEEPEST} levels deep; allowed: fewer"
            )
        if isinstance(value, Mapping):
            return {
                _as_text(copied(key, path)): copied(item, (*path, key))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [copied(item, (*path, k)) for k, item in enumerate(value)]
        if isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
            # Python itself refuses to write an integer of thousands of digits.
            number = value if isinstance(value, float) else "a number of hundreds of digits"
            raise ConfigError(f"{_joined(path)}: {number} is not allowed; expected a finite number")
        return value if isinstance(value, str | int | float | None) else str(value)

    return copied(config, ())


def _as_text(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _joined(path: Sequence) -> str:
    """Write the way to a value: its keys, separated by dots."""
    keys = [str(part) for part in path]
    keys = [key if key.isprintable() and len(key) <= 80 else shown(key) for key in keys]
    return ".".join(keys) or "the configuration"


def fill_and_check(instance: dict, schema: Mapping, where: str = "") -> None:
    """Validate against the schema, writing its defaults into the instance."""
    error = next(iter(_FillingValidator(schema).iter_errors(instance)), None)
    if error is not None:
        raise ConfigError(_one_line(error, where))


def _fill_properties(validator, properties, instance, whole) -> Iterator:
    if validator.is_type(instance, "object"):
        for name, part in properties.items():
            if "default" in part:
                instance.setdefault(name, copy.deepcopy(part["default"]))
    yield from _BASE.VALIDATORS["properties"](validator, properties, instance, whole)


_BASE = jsonschema.Draft202012Validator
_FillingValidator = jsonschema.validators.extend(
    _BASE,
    {"properties": _fill_properties},
    # JSON Schema takes 5.0 for an integer; a file name made of it would be another one.
    type_checker=_BASE.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


def _one_line(error: jsonschema.ValidationError, prefix: str) -> str:
    """Say what is wrong in one line: the key, the fault, what is allowed."""
    where = _joined([*([prefix] if prefix else []), *error.absolute_path])
    rule, value = error.validator_value, error.instance
    match error.validator:
        case "additionalProperties":
            allowed = sorted(error.schema["properties"])
            unknown = sorted(set(value) - set(allowed))[0]
            close = difflib.get_close_matches(unknown, allowed, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            return f"{where}: unknown key {shown(unknown)}{hint}; allowed: {', '.join(allowed)}"
        case "required":
            missing = next(key for key in rule if key not in value)
            return f"{where}: the key {missing!r} is missing"
        case "pattern" | "maxLength":
            return f"{where}: {shown(value)} is not a valid name; allowed: {_described(error)}"
        case "type" | "oneOf" | "anyOf":
            hint = ""
            if isinstance(value, str) and _is_number(value):
                hint = f" (YAML reads {value} as text; write it with a decimal point, as 1.0e-3)"
            return f"{where}: {shown(value)} is not allowed; expected {_described(error)}{hint}"
        case "enum":
            return f"{where}: {shown(value)} is not allowed; allowed: {', '.join(map(str, rule))}"
        case "minimum":
            return f"{where}: {shown(value)} is too small; the least allowed is {rule}"
        case "exclusiveMinimum":
            return f"{where}: {shown(value)} is not allowed; it must be above {rule}"
        case "maximum":
            return f"{where}: {shown(value)} is too large; the most allowed is {rule}"
        case "minItems" | "minProperties" if not value:
            return f"{where}: is empty; entries needed: at least {rule}"
        case "minItems" | "maxItems":
            return f"{where}: has {len(value)} entries; allowed: {rule}"
        case "maxProperties":
            return f"{where}: {shown(value)} is not allowed; expected {_described(error)}"
        case "uniqueItems":
            return f"{where}: an entry is there twice; all must differ"
        case _:
            return f"{where}: {' '.join(error.message.split())}"


def _described(error: jsonschema.ValidationError) -> str:
    schema = error.schema
    if "expected" in schema:
        return schema["expected"]
    kind = schema.get("type", "something else")
    names = {"object": "a mapping of keys", "array": "a list", "integer": "an integer"}
    names |= {"number": "a number", "string": "text", "boolean": "true or false"}
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(names.get(one, one) for one in kinds)


def _is_number(text: str) -> bool:
    """Tell whether a short text is a finite number."""
    try:
        return len(text) <= 40 and math.isfinite(float(text))
    except ValueError:
        return False
