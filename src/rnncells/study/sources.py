"""Which source a result depends on, found without running it.

Its fingerprint is a parameter of the workflow's jobs and part of a checkpoint's identity, so that
an edit reruns the jobs whose numbers it may change, and no others. What counts is

* of this project, what the job's modules import from the packages that make numbers. Logs, locks,
  records, plans, tables and figures are not among them; a job that makes tables or figures names
  modules of those packages, and then these count;
* of the kernels, the backend of the device that the job ran on;
* of a user's own module, also its neighbours;
* of every file, the syntax tree without docstrings and annotations: no edit of a comment, of
  blank lines or of the layout makes anything stale.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
#: The packages that make numbers.
NUMBERS = ("random", "cells", "kernels", "layers", "tasks", "training", "search")
#: For each kind of device, the package below ``kernels`` that is its backend.
BACKENDS = {"cpu": "numba", "cuda": "triton"}


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


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Return the modules and names that a file imports anywhere, but for type checkers."""
    found: list[str] = []
    with suppress(SyntaxError):  # the job that imports it will say what is wrong with it
        for node in ast.walk(_WithoutTyping().visit(_parse(path))):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = _absolute(path, node)
                found += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(found))


def cell_modules(module: str) -> tuple[str, ...]:
    """Return the modules that a cell's numbers come from: its own, and that of its kernel."""
    units = module.replace(f"{PACKAGE.name}.cells.", f"{PACKAGE.name}.kernels.units.")
    return tuple(dict.fromkeys((module, units)))


@cache
def depends_on(
    *modules: str, packages: tuple[str, ...] = NUMBERS, device: str | None = None
) -> tuple[Path, ...]:
    """Return the files of ``modules`` and of every module that they import and that counts.

    What is installed counts by its version, which checkpoints know. ``__init__`` files of this
    project are left out: they hold names and no computation, and every new task would otherwise
    make all results stale. Only what the ``__init__`` of a backend imports counts.

    Args:
        modules: names of modules.
        packages: the packages of this project that count besides those of the modules.
        device: ``cpu`` or ``cuda``; kernels for the other do not count. (None: all count.)
    """
    counting = {*packages, *(_package(module) for module in modules)}
    others = {name for kind, name in BACKENDS.items() if device and kind != device}
    roots = {PACKAGE.name, *(module.split(".")[0] for module in modules)}
    waiting = [module_file(module) for module in modules]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path is None or path in seen:
            continue
        if path.is_relative_to(PACKAGE):
            parts = path.relative_to(PACKAGE).parts
            backend = parts[1] if parts[0] == "kernels" else None
            if parts[0] not in counting or backend in others:
                continue
            if _is_own_init(path) and backend not in BACKENDS.values():
                continue
        seen.add(path)
        for name in _imported(path):
            file = module_file(name)
            if name.split(".")[0] in roots or (
                file and not path.is_relative_to(PACKAGE) and _is_local(file)
            ):
                waiting.append(file)
    return tuple(sorted(path for path in seen if not _is_own_init(path)))


def _is_own_init(path: Path) -> bool:
    return path.name == "__init__.py" and path.is_relative_to(PACKAGE)


def _package(module: str) -> str:
    """Return the package of this project that a module is in, or an empty name."""
    first, *others = module.split(".")
    return others[0] if first == PACKAGE.name and others else ""


def _is_local(file: Path) -> bool:
    """Whether a file is the user's: below the working directory, and not installed there."""
    installed = "site-packages" in file.parts or file.is_relative_to(sys.base_prefix)
    return file.is_relative_to(Path.cwd()) and not installed


def source_fingerprint(files: Sequence[Path]) -> str:
    """Return a short hash of what source files compute, whatever their paths."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(_digest(file))
    return digest.hexdigest()[:12]


def fingerprint_that_holds(current: Mapping[str, str], record: Path) -> dict[str, str]:
    """Return the fingerprints that a finished job was started with, if they still hold.

    Where the device is chosen by the job, it is started with a fingerprint for each kind. When it
    is done, only that of the device that it found counts: kernels for another may have changed.

    Args:
        current: fingerprint of the source as it is now, for each kind of device.
        record: the job's ``run.json`` or ``search.json``, which may be missing.
    """
    if len(current) > 1:
        with suppress(OSError, ValueError, KeyError, TypeError):
            made = json.loads(record.read_bytes())
            kind = "cpu" if made["device"] == "cpu" else "cuda"
            if made["code"][kind] == current[kind]:
                return dict(made["code"])
    return dict(current)


@cache
def _digest(file: Path) -> bytes:
    try:
        tree = _WithoutTyping().visit(_parse(file))
    except SyntaxError:
        return hashlib.sha256(file.read_bytes()).digest()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return hashlib.sha256(_text(_WithoutUnused(used).visit(tree)).encode()).digest()


def _parse(path: Path) -> ast.Module:
    """Parse a file to a tree that may be changed, unlike that of :func:`syntax_tree`."""
    return ast.parse(path.read_bytes(), filename=str(path))


def _text(node: object) -> str:
    """Return a syntax tree as text: like ``ast.dump``, but the same in all versions of Python.

    New versions add fields, which are empty in code that does not use them.
    """
    if isinstance(node, ast.AST):
        fields = [(key, value) for key, value in ast.iter_fields(node) if value not in (None, [])]
        texts = [f"{key}={_text(value)}" for key, value in fields]
        return f"{type(node).__name__}({', '.join(texts)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_text, node))}]"
    return repr(node)


class _WithoutTyping(ast.NodeTransformer):
    """Remove what computes nothing: docstrings, annotations, and code for type checkers."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        if getattr(node.test, "id", getattr(node.test, "attr", "")) != "TYPE_CHECKING":
            return self.generic_visit(node)
        return [self.visit(statement) for statement in node.orelse] or None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        if any(getattr(decorator, "id", "") == "overload" for decorator in node.decorator_list):
            return None
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if getattr(node.func, "id", "") == "Field":  # of pydantic: a setting, and what it means
            node.keywords = [word for word in node.keywords if word.arg != "description"]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # ``name: type`` alone declares a field of a dataclass or a model: its name and place count.
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                statement.value = ast.Constant(...)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))


class _WithoutUnused(ast.NodeTransformer):
    """Remove imports of unused names, such as those of annotations."""

    def __init__(self, used: set[str]):
        self.used = used

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        node.names = [
            alias
            for alias in node.names
            if (alias.asname or alias.name.split(".")[0]) in {*self.used, "*"}
        ]
        return node if node.names else None

    visit_ImportFrom = visit_Import
