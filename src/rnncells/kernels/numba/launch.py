"""Compiling kernels once per machine, and running them on the threads that PyTorch may use."""

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import torch
from filelock import FileLock

from .compiler import cache_folder, compiled
from .product import addresses
from .tables import table_of

logger = logging.getLogger(__name__)


class Kernel:
    """A compiled function that works through independent tasks.

    Args:
        function: works on the tasks ``first <= k < last``, which do not depend on each other. It
            takes these two, a table of tensors and an array of their kind (see
            :mod:`rnncells.kernels.numba.tables`), and further numbers.
        name: what it is called in messages and file names.
        calls: the scalar functions that it calls and that are not in this package.
    """

    def __init__(self, function: Callable[..., None], name: str, *calls: Callable[..., Any]):
        self.name = name
        sources = sorted({call.__code__.co_filename for call in calls})
        self._folder = cache_folder(*sources)
        self._ready: set[Any] = set()
        function.__qualname__ = f"{name}_{self._folder.name}"
        self._compiled = compiled(function, *sources)

    def __call__(self, tasks: int, tensors: Sequence[torch.Tensor], *numbers: Any) -> None:
        """Work through all tasks, on as many threads as PyTorch uses.

        Args:
            tasks: how many tasks there are.
            tensors: what the function finds in the table; those that it writes to are contiguous.
                All are of one dtype.
            numbers: what the function takes besides, whole numbers and arrays.
        """
        tensors = [tensor.contiguous() for tensor in tensors]
        dtype = tensors[0].dtype
        like = _LIKE[dtype]
        if dtype not in self._ready:
            self._compile(dtype, like, numbers)
        arguments = (table_of(tensors, addresses(like.dtype)), like, *numbers)
        threads = min(torch.get_num_threads(), tasks)
        if threads == 1:
            self._compiled(0, tasks, *arguments)
            return
        cuts = [tasks * k // threads for k in range(threads + 1)]
        others = [
            _pool().submit(self._compiled, first, last, *arguments)
            for first, last in pairwise(cuts[1:])
        ]
        self._compiled(cuts[0], cuts[1], *arguments)
        for other in others:
            other.result()

    def _compile(self, dtype: torch.dtype, like: np.ndarray, numbers: tuple[Any, ...]) -> None:
        """Compile, or load what another process has compiled.

        Processes that need the same kernel wait for the first of them; different kernels are
        compiled side by side.
        """
        mark = f"{self.name}-{str(dtype).removeprefix('torch.')}"
        done = self._folder / f"{mark}.done"
        with nullcontext() if done.exists() else FileLock(self._folder / f"{mark}.lock"):
            if not done.exists():
                # A warning, because only those are shown to who has not set up logging.
                logger.warning("rnncells compiles %s, once on this machine (seconds)", mark)
            table = table_of([], addresses(like.dtype))
            self._compiled.compile(tuple(map(numba.typeof, (0, 1, table, like, *numbers))))
            done.touch()
        self._ready.add(dtype)


_LIKE = {torch.float32: np.zeros(1, np.float32), torch.float64: np.zeros(1, np.float64)}


def _reuse_memory() -> None:
    """Set glibc's malloc to reuse large blocks that were freed.

    By default it returns them to the system, and every new one costs page faults and zeroing; at
    some ten MB per step that takes longer than the arithmetic. Limits that are set in the
    environment stay.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        trim_threshold, mmap_threshold = -1, -3
        library.mallopt(mmap_threshold, 2**30)
        library.mallopt(trim_threshold, 2**31 - 1)


_reuse_memory()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="rnncells")
