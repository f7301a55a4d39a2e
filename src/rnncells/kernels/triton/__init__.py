"""Kernels for CUDA devices, compiled by Triton.

They have run in Triton's interpreter alone, not on a GPU yet. So they serve only if the environment
variable ``RNNCELLS_TRITON`` is 1.
"""

import os

from ..backend import Backend


def backends() -> list[Backend]:
    """Return the backend if it is to serve.

    Raises:
        ImportError: if Triton is not installed.
    """
    if os.environ.get("RNNCELLS_TRITON") != "1":
        return []
    from .backend import TritonBackend

    return [TritonBackend()]
