"""The tasks, one file each: settings, data, loss, metric, chance level, figures.

The class in a file of this folder is the task of the file's name; ``package.module:Class`` names a
task of a user's own. Importing tasks does not import PyTorch, because jobs are planned with them;
it imports from layers, cells, random and jobs.
"""

import importlib
import inspect
import pkgutil
from functools import cache

from ..jobs.errors import did_you_mean, shown
from ..jobs.extras import need
from ..jobs.plugins import check_class_name, load_class

need(__name__, "pydantic", "pandas")

from .base import (  # noqa: E402
    Batch,
    DataSource,
    Outcome,
    Published,
    Task,
    example_rows,
    mean_error,
)
from .settings import Settings  # noqa: E402

__all__ = [
    "Batch",
    "DataSource",
    "Outcome",
    "Published",
    "Settings",
    "Task",
    "example_rows",
    "mean_error",
    "task_class",
    "task_names",
]


@cache
def task_names() -> tuple[str, ...]:
    """Return the names of the tasks in this folder."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if _task(name)))


@cache
def task_class(name: str) -> type[Task]:
    """Return the task called ``name``: a file of this folder, or ``package.module:Class``.

    Raises:
        ValueError: if there is no such task, or its module cannot be imported; in one line.
    """
    if ":" in name:
        check_class_name(name)
        return load_class(name, Task)
    names = task_names()
    if name not in names:
        raise ValueError(
            f"unknown task {shown(name)}{did_you_mean(name, names)}; allowed: {', '.join(names)}, "
            "or package.module:Class"
        )
    return _task(name)


def _task(name: str) -> type[Task] | None:
    """Return the task that a module of this folder defines; None if it defines none."""
    module = importlib.import_module(f".{name}", __name__)
    return next(
        (
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, Task)
            and value.__module__ == module.__name__
            and not inspect.isabstract(value)
        ),
        None,
    )
