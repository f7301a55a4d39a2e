"""Kernels: the cells' equations as compiled code that runs over whole sequences.

Layers use them wherever they support cell, device and dtype; the cells' own steps remain the
reference.
"""

from .backend import disabled

__all__ = ["disabled"]
