"""Kernels for the CPU, compiled by Numba when a cell is first used.

May import ``cells``, and the rest of ``kernels`` but no other backend.
"""
