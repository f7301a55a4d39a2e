"""What the workflow needs to know about a figure, read from its source.

Importing a figure imports matplotlib, which takes most of a second; reading its source takes a
millisecond.
"""

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..jobs.errors import did_you_mean, shown
from ..jobs.plugins import CLASS_NAME
from .sources import PACKAGE, module_file, syntax_tree

#: The tables of a study that a figure can read: ``results/tables/<study>/<table>.parquet``.
TABLES = ("metrics", "examples", "runs", "summary", "comparisons", "published")


@dataclass(frozen=True)
class FigureSource:
    """A figure as its source describes it.

    Attributes:
        module: name of the module that draws it.
        function: the function there, ``draw(<tables>, protocol) -> matplotlib.figure.Figure``.
        parameters: the names of its parameters.
        caption: its docstring, in reStructuredText, which the report shows.
    """

    module: str
    function: str
    parameters: tuple[str, ...]
    caption: str

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads."""
        return tuple(name for name in self.parameters if name != "protocol")


@cache
def describe_figure(name: str) -> FigureSource:
    """Describe a figure of a study: one of this project, or ``package.module:function``.

    Raises:
        ValueError: if there is no such figure, or it asks for a table that studies do not have; the
            message is one line.
    """
    if ":" not in name:
        if name not in figures():
            raise ValueError(
                f"unknown figure {shown(name)}{did_you_mean(name, figures())}; allowed: "
                f"{', '.join(figures())}, or package.module:function"
            )
        return read_figure(f"{PACKAGE.name}.figures.{name}")
    if not CLASS_NAME.fullmatch(name):  # a function is written as a class is
        raise ValueError(
            f"{shown(name)} is not a name of a figure; allowed: package.module:function, with "
            "letters, digits and _, and at most 120 characters"
        )
    figure = read_figure(*name.split(":"))
    if not _is_of_a_study(figure):
        raise ValueError(
            f"figure {shown(name)}: its parameters are {', '.join(figure.parameters)}; allowed: "
            f"protocol, and the tables {', '.join(TABLES)}"
        )
    return figure


@cache
def figures() -> tuple[str, ...]:
    """Return the figures of this project that can be drawn of a study."""
    return tuple(
        path.stem
        for path in sorted((PACKAGE / "figures").glob("*.py"))
        if _function(path, "draw")
        and _is_of_a_study(read_figure(f"{PACKAGE.name}.figures.{path.stem}"))
    )


@cache
def read_figure(module: str, function: str = "draw") -> FigureSource:
    """Read what a figure's source says of it.

    Raises:
        ValueError: if there is no such module or function; the message is one line.
    """
    path = module_file(module)
    if path is None:
        raise ValueError(f"figure {module}:{function}: there is no module {shown(module)}")
    node = _function(path, function)
    if node is None:
        raise ValueError(f"{path}: there is no function {shown(function)}")
    parameters = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    caption = inspect.cleandoc(ast.get_docstring(node) or "")
    return FigureSource(module, function, tuple(parameters), caption)


def _is_of_a_study(figure: FigureSource) -> bool:
    return "protocol" in figure.parameters and {*figure.parameters} <= {"protocol", *TABLES}


def _function(path: Path, name: str) -> ast.FunctionDef | None:
    return next(
        (
            node
            for node in syntax_tree(path).body
            if isinstance(node, ast.FunctionDef) and node.name == name
        ),
        None,
    )
