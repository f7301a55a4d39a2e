"""Compiling, once per machine: where compiled code is kept, and for which code it stands."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba

from .functions import COMPILED

logger = logging.getLogger(__name__)


@cache
def cache_folder(*sources: str) -> Path:
    """Return a folder for compiled kernels, made for exactly this code and this processor.

    Numba looks at the age of the file that holds a function, but not of those that hold what the
    function calls; hence a folder of its own for every state of the source.

    Args:
        sources: files that the kernels are made of besides this package.
    """
    here = Path(__file__).parent
    content = hashlib.sha256()
    for file in (*sorted(here.glob("*.py")), *sources):
        content.update(Path(file).read_bytes())
    for part in (numba.__version__, llvmlite.binding.get_host_cpu_name()):
        content.update(part.encode())
    folder = _cache() / f"kernels-{content.hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _cache() -> Path:
    """Return the first folder of the usual ones that can be written to."""
    chosen = [os.environ[name] for name in ("NUMBA_CACHE_DIR",) if name in os.environ]
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    for folder in map(Path, (*chosen, home / "rnncells")):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("no compiled kernels in %s: %s", folder, error)
        else:
            if os.access(folder, os.W_OK):
                return folder
    return Path(tempfile.mkdtemp(prefix="rnncells-"))


def compiled(function: Callable[..., Any], *sources: str) -> Any:
    """Compile a function at its first call, or load what was compiled before.

    Args:
        function: what to compile. Its ``__qualname__`` must be its own. What different processes
            have compiled may meet in a third, where functions are found by their names; Numba
            numbers those of the same name, but every process begins with 1.
        sources: files besides this package that it is made of.
    """
    with _kept_in(cache_folder(*sources)):
        return numba.njit(cache=True, nogil=True, **COMPILED)(function)


def compiled_for_c(function: Callable[..., Any], signature: Any) -> Any:
    """Compile a function now, or load it, so that it has an address; see :func:`compiled`."""
    with _kept_in(cache_folder()):
        return numba.cfunc(signature, cache=True, **COMPILED)(function)


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Let Numba keep in a folder what is declared in the block."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
