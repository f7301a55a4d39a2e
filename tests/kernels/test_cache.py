"""What a process has compiled, the next one finds."""

import subprocess
import sys

import pytest

#: Prints, for every kernel, by what Numba looks for what was compiled of it.
KEYS = """
import hashlib, sys
from numba.core.serialize import dumps
import rnncells
from rnncells.kernels import registry
from rnncells.kernels.numba import adam, readout, scan
cell = rnncells.cell(sys.argv[1], 2, 3)
unit = registry.binding(type(cell)).recurrence(cell).unit
for kernel in (*scan.kernels(unit), adam._kernel(), readout._kernel("squared")):
    closure = [cell.cell_contents for cell in kernel._compiled.py_func.__closure__]
    print(kernel.name, hashlib.sha256(dumps(closure)).hexdigest())
"""


@pytest.mark.parametrize("cell", ["GRU", "nBRC", "PC-RNN-GC-HC-M"])
def test_compiled_kernels_are_found_by_the_same_key_in_every_process(cell):
    def keys() -> str:
        command = [sys.executable, "-c", KEYS, cell]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    found = keys()
    assert found.count("\n") == 4
    assert keys() == found
