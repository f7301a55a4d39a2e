"""Kernels follow the processor: other vectors, the same numbers."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rnncells.kernels.numba import processor
from rnncells.kernels.numba.processor import Vectors, target, vectors_of

AVX512 = "+avx,+avx2,+avx512f,+avx512dq,+avx512vl"


@pytest.mark.parametrize(
    ("platform", "features", "expected"),
    [
        ("x86_64-unknown-linux-gnu", AVX512, Vectors(64, 32)),
        ("x86_64-unknown-linux-gnu", AVX512.replace("+avx512f", "-avx512f"), Vectors(32, 16)),
        ("x86_64-apple-darwin", "+avx,+sse2,-avx2", Vectors(32, 16)),
        ("x86_64-pc-windows-msvc", "", Vectors(16, 16)),
        ("aarch64-unknown-linux-gnu", "+neon,+sve", Vectors(16, 32)),
        ("arm64-apple-darwin", "+neon", Vectors(16, 32)),
    ],
)
def test_vectors_of_processors(platform, features, expected):
    assert vectors_of(platform, features) == expected


SUMS = """
import sys, numpy as np, torch
from rnncells import RNN
from rnncells.kernels.numba.processor import VECTORS

found = {"bytes": np.array(VECTORS.bytes)}
for cell, dtype in (("GRU", torch.float32), ("TRNN", torch.float64)):
    for n in (3, 21, 50):
        torch.manual_seed(n)
        rnn = RNN(cell, 2, n, 2, dtype=dtype)
        x = torch.randn(4, 19, 2, dtype=dtype, requires_grad=True)
        output, _ = rnn(x)
        output.square().sum().backward()
        found |= {f"{dtype}.{n}.output": output.detach(), f"{dtype}.{n}.x": x.grad}
        found |= {f"{dtype}.{n}.{name}": p.grad for name, p in rnn.named_parameters()}
np.savez(sys.argv[1], **found)
"""

NARROWER = {"avx2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}}


@pytest.mark.skipif(not target()[0].startswith("x86_64"), reason="the narrower vectors are x86's")
def test_narrower_vectors_give_the_same(tmp_path):
    found = {}
    for name, environment in ({"here": {}} | NARROWER).items():
        file = tmp_path / f"{name}.npz"
        command = [sys.executable, "-c", SUMS, str(file)]
        subprocess.run(command, env=os.environ | environment, check=True, timeout=300)
        with np.load(file) as arrays:
            found[name] = dict(arrays)
    here, narrow = found["here"], found["avx2"]
    assert here.pop("bytes") == processor.VECTORS.bytes
    assert narrow.pop("bytes") == 32
    for name, expected in here.items():
        tolerance = 1e-12 if "float64" in name else 1e-4
        np.testing.assert_allclose(narrow[name], expected, rtol=tolerance, atol=tolerance)
