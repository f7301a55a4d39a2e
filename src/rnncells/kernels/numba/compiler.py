"""Numba's cache on the disk: kernels are compiled once per machine and state of the source."""

import getpass
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache

from .functions import COMPILED
from .processor import target

logger = logging.getLogger(__name__)


@cache
def cache_folder(*sources: str) -> Path:
    """Return a folder for compiled kernels, made for exactly this code and this processor.

    Numba looks at the file that holds a function, but not at those that hold what the function
    calls; hence a folder of its own for every state of the source.

    Args:
        sources: files that the kernels are made of besides this package.
    """
    here = Path(__file__).parent
    content = hashlib.sha256()
    # backend.py holds nothing that is compiled.
    compiled_from = sorted(set(here.glob("*.py")) - {here / "backend.py"})
    for file in (*compiled_from, *sources):
        content.update(Path(file).read_bytes())
    for part in (numba.__version__, *target()):
        content.update(part.encode())
    folder = _cache() / f"kernels-{content.hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _cache() -> Path:
    """Return the first folder of the usual ones that can be written to."""
    candidates = []
    if "NUMBA_CACHE_DIR" in os.environ:
        candidates.append(Path(os.environ["NUMBA_CACHE_DIR"]))
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        candidates.append(home / "rnncells")
    except RuntimeError as error:  # this user has no home directory
        logger.warning("no home for compiled kernels: %s", error)
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("no compiled kernels in %s: %s", folder, error)
        else:
            if os.access(folder, os.W_OK):
                return folder
            logger.warning("no compiled kernels in %s: it cannot be written to", folder)
    return _temporary()


def _temporary() -> Path:
    """Return a folder among the temporary files: always the same for the same user."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir(), f"rnncells-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if hasattr(os, "getuid") and (found.st_uid != user or found.st_mode & 0o022):
        # Code that somebody else can write would run as this user.
        return Path(tempfile.mkdtemp(prefix="rnncells-"))
    return folder


def compiled(function: Callable[..., Any], *sources: str) -> Any:
    """Compile a function at its first call, or load what was compiled before.

    Args:
        function: what to compile. Its ``__qualname__`` must be its own. What different processes
            have compiled may meet in a third, where functions are found by their names; Numba
            numbers those of the same name, but every process begins with 1.
        sources: files besides this package that it is made of.
    """
    with _kept_in(cache_folder(*sources)):
        made = numba.njit(nogil=True, **COMPILED)(function)
        made._cache = _ByName(function)
        return made


def compiled_for_c(function: Callable[..., Any], signature: Any) -> Any:
    """Compile a function now, or load it, so that it has an address; see :func:`compiled`."""
    with _kept_in(cache_folder()):
        return numba.cfunc(signature, cache=True, **COMPILED)(function)


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """Set Numba's cache to a folder for the functions that are declared in the block."""
    config = numba.config
    # Numba before 0.62 does not know the second one.
    before = config.CACHE_DIR, getattr(config, "CACHE_LOCATOR_CLASSES", "")
    config.CACHE_DIR = str(folder)
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{_ByContent.__name__}"
    try:
        yield
    finally:
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


class _ByName(FunctionCache):
    """Cache whose key is a function's name, line and signature, without its closure.

    Numba's own key has the pickled values of the free variables too. Functions among them are
    pickled differently by every process.
    """

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple()


class _ByContent:
    """Cache locator: the folder of :func:`cache_folder`, whatever the path and time of the source.

    Numba's own locators go by the path of the source, and would compile again for every copy of it.
    """

    def __init__(self, function: Callable[..., Any]):
        # One folder per module: the names of the files in it are made of function names alone.
        self._path = Path(numba.config.CACHE_DIR, function.__module__)
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "_ByContent":
        return cls(function)

    def ensure_cache_path(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        self.ensure_cache_path()
        return str(self._path)

    def get_source_stamp(self) -> str:
        return "the folder is made for this content"

    def get_disambiguator(self) -> str:
        return str(self._line)
