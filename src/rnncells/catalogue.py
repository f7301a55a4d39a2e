"""What the workflow needs to know about a class of this project, read from its source.

Importing a cell or a task imports PyTorch, which takes seconds; reading its source takes
milliseconds. So the configuration is checked, and the jobs are planned, without PyTorch.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .sources import PACKAGE, imports, module_file, syntax_tree
from .tasks import TASKS


@dataclass(frozen=True)
class Description:
    """A class as its source describes it.

    Attributes:
        module: name of the module that holds it.
        options: its own keyword options.
        constants: class attributes that are literals, inherited ones included.
    """

    module: str
    options: tuple[str, ...]
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
            f"unknown cell {name!r}; allowed: {', '.join(sorted(known, key=str.lower))}, "
            "or package.module:Class"
        )
    module, _, class_name = known.get(name, name).partition(":")
    path = module_file(module)
    if path is None:
        raise ValueError(f"cell {name!r}: there is no module {module!r}")
    return _describe(path, module, class_name)


@cache
def describe_task(name: str) -> Description:
    """Describe a task given by name."""
    module = f"{PACKAGE.name}.tasks.{name}"
    return _describe(module_file(module), module, TASKS[name])


def _describe(path: Path, module: str, class_name: str) -> Description:
    try:
        tree = syntax_tree(path)
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from error
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            break
    else:
        raise ValueError(f"{path}: there is no class {class_name!r}")
    base = _describe_base(path, module, node)
    constants = dict(base.constants) if base else {}
    options = base.options if base else ()
    for part in node.body:
        target = _assigned_name(part)
        if target and part.value is not None:
            try:
                constants[target] = ast.literal_eval(part.value)
            except ValueError:
                continue  # not a literal, so not something that a plan depends on
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            options = tuple(argument.arg for argument in part.args.kwonlyargs)
    return Description(module, options, constants)


def _assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


def _describe_base(path: Path, module: str, node: ast.ClassDef) -> Description | None:
    """Describe the first base class, unless it is the root of the cells or of the tasks."""
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    if not names or names[0] in ("Cell", "Task"):
        return None
    if names[0] not in imports(path):
        return _describe(path, module, names[0])
    base_module, attribute = imports(path)[names[0]]
    base_path = module_file(base_module)
    return _describe(base_path, base_module, attribute) if base_path and attribute else None
