"""Turn pydantic's errors into one line: the key, what is wrong, and what is allowed."""

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from ..jobs.errors import did_you_mean, shown
from ..tasks.settings import Model

M = TypeVar("M", bound=Model)

#: What was expected, for each of pydantic's types of errors.
EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}


class ConfigError(ValueError):
    """A mistake in the configuration; the message is one line."""


def checked(model: type[M], given: object, where: str = "") -> M:
    """Validate ``given`` against a model.

    Raises:
        ConfigError: for the first mistake found, with the key below ``where``.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(_one_line(first, where)) from error


def plain(value: Any, path: Sequence = ()) -> Any:
    """Return a copy of a configuration whose keys are text and whose numbers are finite.

    YAML can say more: other keys, dates, NaN.

    Raises:
        ConfigError: for numbers that are not finite.
    """
    if isinstance(value, Mapping):
        return {_as_text(key): plain(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, (*path, k)) for k, item in enumerate(value)]
    if isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        # Python itself refuses to write an integer of thousands of digits.
        number = value if isinstance(value, float) else "a number of hundreds of digits"
        raise ConfigError(f"{joined(path)}: {number} is not allowed; expected a finite number")
    return value if isinstance(value, str | int | float | None) else str(value)


def _as_text(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


def joined(path: Sequence) -> str:
    """Return the path to a value: its keys, separated by dots."""
    keys = [str(part) for part in path]
    keys = [key if key.isprintable() and len(key) <= 80 else shown(key) for key in keys]
    return ".".join(keys) or "the configuration"


def _one_line(error: Mapping, prefix: str) -> str:
    """Return one of pydantic's errors as a line, its key below ``prefix``."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    path = [part for part in error["loc"] if part != "[key]"]
    if kind == "missing":
        *path, missing = path
    if "[key]" in error["loc"]:
        *path, value = path
    where = joined([*([prefix] if prefix else []), *path])
    match kind:
        case "missing":
            return f"{where}: the key {missing!r} is missing"
        case "string_pattern_mismatch" | "string_too_long":
            return (
                f"{where}: {shown(value)} is not a valid name; allowed: at most 64 letters, "
                "digits, _ and -, no slash, the first a letter or digit"
            )
        case "seeds":
            hint = _advice(context["wrong"], "int_type")
            return f"{where}: {shown(value)} is not allowed; expected {context['message']}{hint}"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", context["expected"])
            hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
            return f"{where}: {shown(value)} is not allowed{hint}; allowed: {', '.join(allowed)}"
        case "greater_than_equal":
            return f"{where}: {shown(value)} is too small; the least allowed is {context['ge']:g}"
        case "greater_than":
            return f"{where}: {shown(value)} is not allowed; it must be above {context['gt']:g}"
        case "less_than_equal":
            return f"{where}: {shown(value)} is too large; the most allowed is {context['le']}"
        case "finite_number":
            return f"{where}: {shown(value)} is not allowed; expected a finite number"
        case "too_short" if not value:
            return f"{where}: is empty; entries needed: at least {context['min_length']}"
        case "too_short" | "too_long":
            allowed = context.get("min_length", context.get("max_length"))
            return f"{where}: has {len(value)} entries; allowed: {allowed}"
        case "unknown_key":
            return f"{where}: {context['message']}"
        case "value_error":
            return f"{where}: {context['error']}"
    if kind in EXPECTED:
        hint = _advice(value, kind)
        return f"{where}: {shown(value)} is not allowed; expected {EXPECTED[kind]}{hint}"
    return f"{where}: {' '.join(error['msg'].split())}"


def _advice(value: object, kind: str) -> str:
    """Return how to write a number that YAML has read as text."""
    if kind not in ("int_type", "float_type") or not isinstance(value, str) or len(value) > 40:
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    if re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value):
        mantissa, exponent = re.split("[eE]", value)
        return (
            f" (YAML reads {value} as text; write it with a decimal point, as "
            f"{mantissa}.0e{exponent})"
        )
    return f" ({shown(value)} is text; write the number without quotes, as {number:.15g})"
