"""What the workflow needs to know about a cell, read from its source.

Importing a cell imports PyTorch, which takes seconds; reading its source takes milliseconds. So the
configuration is checked, and the jobs are planned, without PyTorch.
"""

import ast
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..jobs.errors import did_you_mean, shown
from ..jobs.plugins import check_class_name
from .sources import PACKAGE, imports, module_file, syntax_tree

#: The scales that a hyperparameter can be searched on.
SCALES = ("linear", "log", "integer")
#: The methods by which a cell says within which limits its numbers must be.
DECLARING = ("add_hyperparameter", "check_range")


@dataclass(frozen=True)
class Description:
    """A class as its source describes it.

    Attributes:
        module: name of the module that holds it.
        options: its own keyword options, with their annotations.
        defaults: their defaults, where these are literals.
        limits: the least and the largest value of options and hyperparameters that have them.
        constants: class attributes that are literals, inherited ones included.
    """

    module: str
    options: dict[str, ast.expr | None]
    defaults: dict
    limits: dict[str, tuple[float, float]]
    constants: dict

    @property
    def search_space(self) -> dict[str, tuple[float, float, str]]:
        """The hyperparameters that it adds to a search."""
        return self.constants.get("search_space", {})


@cache
def cells() -> dict[str, str]:
    """Return the registered cells: name -> ``module:Class``."""
    found = {}
    for path in sorted((PACKAGE / "cells").glob("*.py")):
        module = f"{PACKAGE.name}.cells.{path.stem}"
        for node in syntax_tree(path).body:
            if isinstance(node, ast.ClassDef) and (name := _registered_name(node)):
                found[name] = f"{module}:{node.name}"
    return found


def _registered_name(node: ast.ClassDef) -> str | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "register":
            return ast.literal_eval(decorator.args[0])
    return None


@cache
def describe_cell(name: str) -> Description:
    """Describe a cell given by name or as ``package.module:Class``.

    Raises:
        ValueError: if there is no such cell; the message is one line that lists what there is.
    """
    known = cells()
    if ":" not in name and name not in known:
        raise ValueError(
            f"unknown cell {shown(name)}{did_you_mean(name, known)}; allowed: "
            f"{', '.join(sorted(known, key=str.lower))}, or package.module:Class"
        )
    if name not in known:
        check_class_name(name)
    module, _, class_name = known.get(name, name).partition(":")
    path = module_file(module)
    if path is None:
        raise ValueError(f"cell {shown(name)}: there is no module {shown(module)}")
    return _describe(path, module, class_name)


def _describe(path: Path, module: str, class_name: str) -> Description:
    for node in syntax_tree(path).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            break
    else:
        raise ValueError(f"{path}: there is no class {shown(class_name)}")
    base = _describe_base(path, module, node)
    constants = dict(base.constants) if base else {}
    limits = dict(base.limits) if base else {}
    options = base.options if base else {}
    defaults = base.defaults if base else {}
    for part in node.body:
        target = _assigned_name(part)
        if target and part.value is not None:
            # What is not a literal is not something that a plan depends on.
            with suppress(ValueError, TypeError):
                constants[target] = ast.literal_eval(part.value)
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            options = {argument.arg: argument.annotation for argument in part.args.kwonlyargs}
            defaults = dict(_literal_defaults(part))
            limits |= _declared_limits(part)
    _check_search_space(path, class_name, constants.get("search_space", {}))
    return Description(module, options, defaults, limits, constants)


def _check_search_space(path: Path, class_name: str, space: object) -> None:
    match space:
        case dict() if all(map(_is_dimension, space.values())):
            return
    raise ValueError(
        f"{path}: {class_name}.search_space is {shown(space)}; expected for every hyperparameter "
        f"(low, high, scale), with low < high, a scale of {', '.join(SCALES)}, and low > 0 for log"
    )


def _is_dimension(value: object) -> bool:
    match value:
        case (int() | float() as low, int() | float() as high, str() as scale):
            ascending = -math.inf < low < high < math.inf
            return ascending and scale in SCALES and (scale != "log" or low > 0)
    return False


def _literal_defaults(init: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        if default is not None:
            with suppress(ValueError, TypeError):
                yield argument.arg, ast.literal_eval(default)


def _declared_limits(init: ast.FunctionDef) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the limits that ``__init__`` declares: ``self.check_range("tau", tau, low=1.0)``."""
    for node in ast.walk(init):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in DECLARING:
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            # What is not a literal is known only when the cell is built, which checks it then.
            with suppress(ValueError, TypeError):
                name = node.args[0] if node.args else given.get("name")
                low = ast.literal_eval(given.get("low", ast.Constant(-math.inf)))
                high = ast.literal_eval(given.get("high", ast.Constant(math.inf)))
                yield ast.literal_eval(name), (low, high)


def fits(annotation: ast.expr | None, value: object) -> bool:
    """Tell whether a value of a configuration is of the annotated type; an unknown type fits."""
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return fits(left, value) or fits(right, value)
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id="bool"):
            return isinstance(value, bool)
        case ast.Name(id="int"):
            return type(value) is int
        case ast.Name(id="float"):
            return type(value) in (int, float)
        case ast.Name(id="str"):
            return isinstance(value, str)
        case ast.Subscript(value=ast.Name(id="Literal")):
            allowed = ast.literal_eval(annotation.slice)
            return value in (allowed if isinstance(allowed, tuple) else (allowed,))
    return True


def _assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


def _describe_base(path: Path, module: str, node: ast.ClassDef) -> Description | None:
    """Describe the first base class, unless it is the root of the cells."""
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    if not names or names[0] == "Cell":
        return None
    if names[0] not in imports(path):
        return _describe(path, module, names[0])
    base_module, attribute = imports(path)[names[0]]
    base_path = module_file(base_module)
    return _describe(base_path, base_module, attribute) if base_path and attribute else None
