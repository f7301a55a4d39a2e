"""The cells, one file per family.

A cell registers itself under its name with the decorator :func:`register`; every file of this
folder is found by itself. ``CELLS`` maps each name to its class.

Importing this package does not import PyTorch; looking at ``CELLS`` does.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TypeVar

from ..jobs.errors import did_you_mean
from ..jobs.plugins import load_class

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

    if ":" in name:
        return load_class(name, Cell)
    cells = __getattr__("CELLS")
    if name not in cells:
        raise ValueError(
            f"unknown cell {name!r}{did_you_mean(name, cells)}; the cells are "
            f"{', '.join(sorted(cells, key=str.lower))}"
        )
    return cells[name]


def __getattr__(attribute: str) -> dict[str, type]:
    if attribute != "CELLS":
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _REGISTERED
