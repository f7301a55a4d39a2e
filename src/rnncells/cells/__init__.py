"""The cells, one file per family.

A cell registers itself under its name with the decorator :func:`register`; every file of this
folder is found by itself. ``CELLS`` maps each name to its class.

Importing this package does not import PyTorch; looking at ``CELLS`` does.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

C = TypeVar("C", bound=type)
_REGISTERED: dict[str, type] = {}


def register(name: str) -> Callable[[C], C]:
    """Class decorator: make a cell known as ``name``.

    Raises:
        ValueError: if another class has the name already.
    """

    def decorate(cell: C) -> C:
        known = _REGISTERED.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (
            cell.__module__,
            cell.__qualname__,
        ):
            raise ValueError(f"two cells are called {name!r}: {known} and {cell}")
        _REGISTERED[name] = cell
        return cell

    return decorate


def cell_class(name: str) -> type:
    """Return the class called ``name``: a registered name, or ``"package.module:Class"``.

    A module is looked for in the current directory too.

    Raises:
        ValueError: if there is no such cell, or its module cannot be imported.
    """
    from .base import Cell

    if ":" not in name:
        cells = __getattr__("CELLS")
        if name not in cells:
            raise ValueError(f"unknown cell {name!r}; the cells are {', '.join(sorted(cells))}")
        return cells[name]
    module_name, _, class_name = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (Exception, SystemExit) as error:  # a user's module may do anything
        raise ValueError(
            f"cannot load the cell {name!r}: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Cell)):
        raise ValueError(
            f"{name!r} is no cell; expected a class that is derived from {Cell.__module__}.Cell"
        )
    return found


def __getattr__(attribute: str) -> dict[str, type]:
    if attribute != "CELLS":
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _REGISTERED
