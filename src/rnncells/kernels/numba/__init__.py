"""Kernels for the CPU, compiled by Numba."""

from numba import config

if config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set")
