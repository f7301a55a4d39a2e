"""Check a configuration against its schema, and say what is wrong in one line."""

import copy
import difflib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml


class ConfigError(ValueError):
    """A mistake in the configuration, told in one line."""


def load_schema(path: str | Path) -> dict:
    """Read the configuration's schema (YAML)."""
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def check_numbers(value: Any, path: str = "") -> None:
    """Refuse NaN and infinity, which a schema's bounds let through."""
    if isinstance(value, dict):
        for key, item in value.items():
            check_numbers(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            check_numbers(item, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{path}: {value} is not allowed; expected a finite number")


def fill_and_check(instance: dict, schema: Mapping, where: str = "") -> None:
    """Validate against the schema, writing its defaults into the instance."""
    error = next(iter(_filling_validator(schema).iter_errors(instance)), None)
    if error is not None:
        raise ConfigError(_one_line(error, where))


def _filling_validator(schema: Mapping):
    base = jsonschema.Draft202012Validator
    check_properties = base.VALIDATORS["properties"]

    def fill_properties(validator, properties, instance, whole) -> Iterator:
        if validator.is_type(instance, "object"):
            for name, part in properties.items():
                if "default" in part:
                    instance.setdefault(name, copy.deepcopy(part["default"]))
        yield from check_properties(validator, properties, instance, whole)

    return jsonschema.validators.extend(base, {"properties": fill_properties})(schema)


def _one_line(error: jsonschema.ValidationError, prefix: str) -> str:
    """Say what is wrong in one line: the key, the fault, what is allowed."""
    path = [*([prefix] if prefix else []), *map(str, error.absolute_path)]
    where = ".".join(path) or "the configuration"
    rule, value = error.validator_value, error.instance
    match error.validator:
        case "additionalProperties":
            allowed = sorted(error.schema["properties"])
            unknown = sorted(set(value) - set(allowed))[0]
            close = difflib.get_close_matches(unknown, allowed, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            return f"{where}: unknown key {unknown!r}{hint}; allowed: {', '.join(allowed)}"
        case "required":
            missing = next(key for key in rule if key not in value)
            return f"{where}: the key {missing!r} is missing"
        case "pattern":
            return f"{where}: {value!r} is not a valid name; allowed: {_described(error)}"
        case "type" | "oneOf" | "anyOf":
            hint = ""
            if isinstance(value, str) and _is_number(value):
                hint = f" (YAML reads {value} as text; write it with a decimal point, as 1.0e-3)"
            return f"{where}: {value!r} is not allowed; expected {_described(error)}{hint}"
        case "enum":
            return f"{where}: {value!r} is not allowed; allowed: {', '.join(map(str, rule))}"
        case "minimum":
            return f"{where}: {value} is too small; the least allowed is {rule}"
        case "exclusiveMinimum":
            return f"{where}: {value} is not allowed; it must be above {rule}"
        case "maximum":
            return f"{where}: {value} is too large; the most allowed is {rule}"
        case "minItems" | "minProperties":
            return f"{where}: is empty; at least {rule} entry is needed"
        case "maxItems":
            return f"{where}: has {len(value)} entries; allowed: {rule}"
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
    try:
        float(text)
    except ValueError:
        return False
    return True
