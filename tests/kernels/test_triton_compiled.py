"""Triton's kernels compile for an H100 and H200, without one, and fit (make test-gpu-kernels)."""

import os

import pytest
import torch

from rnncells.cells import CELLS
from rnncells.layers.network import ERRORS

pytest.importorskip("triton")
if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("Triton interprets instead of compiling", allow_module_level=True)

from benchmarks.gpu_kernels import SHARED, TOOLS, of_cell, of_training

if not (TOOLS / "ptxas").exists() or not (TOOLS / "cuobjdump").exists():
    pytest.skip("Triton came without NVIDIA's compiler", allow_module_level=True)


def assert_it_fits(found, kernels):
    assert {made.kernel for made in found} == kernels
    for made in found:
        assert made.shared <= SHARED
        # Where more is spilled, the memory for it takes the place of the matrices.
        assert made.stack <= 64, made


@pytest.mark.parametrize("name", CELLS)
def test_a_layer(name):
    assert_it_fits(of_cell(name, 100), {"forward_kernel", "backward_kernel"})


@pytest.mark.parametrize("n", [1, 256])
@pytest.mark.parametrize("name", ["LSTM", "PC-RNN-GC"])
def test_a_small_and_a_large_layer(name, n):
    assert_it_fits(of_cell(name, n), {"forward_kernel", "backward_kernel"})


def test_float64():
    found = of_cell("nBRC", 60, dtype=torch.float64)
    assert all(made.shared <= SHARED for made in found)


@pytest.mark.parametrize("error", ERRORS)
def test_the_rest_of_a_training_step(error):
    assert_it_fits(of_training(60, error), {"readout_kernel", "adam_kernel"})
