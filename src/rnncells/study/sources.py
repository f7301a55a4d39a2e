"""Which source files a result depends on, found without running them.

What they contain is a parameter of the workflow's jobs, so that editing one cell's file reruns that
cell's jobs and no others.
"""

import ast
import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def module_file(module: str) -> Path | None:
    """Return the file of ``module`` (``a.b``), found on the import path, without importing it."""
    if module.split(".")[0] == PACKAGE.name:
        stem = PACKAGE.joinpath(*module.split(".")[1:])
        candidates = (stem.with_suffix(".py"), stem / "__init__.py")
        return next((path for path in candidates if path.is_file()), None)
    search = [str(Path.cwd()), *sys.path]
    for part in module.split("."):
        spec = PathFinder.find_spec(part, search)
        if spec is None:
            return None
        search = spec.submodule_search_locations or []
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Parse a Python file.

    Raises:
        ValueError: if it is none; the message is one line that names the place.
    """
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from error


@cache
def imports(path: Path) -> dict[str, tuple[str, str | None]]:
    """Return the names that a file imports at its top level: name -> (module, attribute)."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in syntax_tree(path).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name] = alias.name, None
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(path, node)
            for alias in node.names:
                found[alias.asname or alias.name] = module, alias.name
    return found


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """Return the full name of the module that a ``from ... import`` statement names."""
    if node.level == 0:
        return node.module or ""
    folder = path.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    roots = (PACKAGE.parent, Path.cwd(), *map(Path, sys.path))
    root = next((root for root in roots if folder.is_relative_to(root)), folder.parent)
    return ".".join([*folder.relative_to(root).parts, *([node.module] if node.module else [])])


def cell_modules(module: str) -> tuple[str, ...]:
    """Return the modules that a cell's numbers come from: its own, and that of its units."""
    units = module.replace(f"{PACKAGE.name}.cells.", f"{PACKAGE.name}.kernels.units.")
    return tuple(dict.fromkeys((module, units)))


def _is_local(file: Path) -> bool:
    """Whether a file is the user's: below the working directory, and not installed there."""
    installed = "site-packages" in file.parts or file.is_relative_to(sys.base_prefix)
    return file.is_relative_to(Path.cwd()) and not installed


@cache
def depends_on(*modules: str) -> tuple[str, ...]:
    """Return the files of ``modules`` and of every module of this project that they import.

    For a user's own module these are its neighbours too: what lies in the working directory, or in
    the same package. What is installed counts by its version, which checkpoints know.

    ``__init__`` files are left out: here they hold names and no computation, and every new task
    would otherwise make all results stale. Paths are relative to the working directory where they
    lie below it.
    """
    packages = {PACKAGE.name, *(module.split(".")[0] for module in modules)}
    waiting = [module_file(module) for module in modules]
    files: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path is None or path in files:
            continue
        files.add(path)
        try:
            imported = imports(path).values()
        except ValueError:
            continue  # the job that imports it will say what is wrong with it
        for module, attribute in imported:
            for name in (module, f"{module}.{attribute}"):
                if name.split(".")[0] in packages:
                    waiting.append(module_file(name))
                elif not path.is_relative_to(PACKAGE):
                    waiting += [file for file in [module_file(name)] if file and _is_local(file)]
    here = Path.cwd()
    return tuple(
        str(path.relative_to(here) if path.is_relative_to(here) else path)
        for path in sorted(files)
        if path.name != "__init__.py"
    )
