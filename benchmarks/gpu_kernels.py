"""What Triton's kernels need of an H100 or H200: compiled for it on any machine, without a GPU.

``python -m benchmarks.gpu_kernels`` prints the table of docs/gpu.md. The compiler is Triton's own,
down to the machine code (ptxas); nothing runs.
"""

import argparse
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime.driver import driver

from rnncells import RNN
from rnncells.cells import CELLS
from rnncells.kernels.registry import binding, recurrence_of, run_of, weights_of
from rnncells.kernels.triton import adam, backend, readout

#: Where NVIDIA's tools are that come with Triton.
TOOLS = Path(triton.__file__).parent / "backends/nvidia/bin"

#: Bytes of shared memory that a program can have on an H100 or H200.
SHARED = 227 * 1024


@dataclass
class Resources:
    """What a compiled kernel needs.

    Attributes:
        kernel: its name.
        registers: of a thread; 255 are the limit.
        stack: bytes of a thread's registers that are kept in memory instead ("spilled").
        shared: bytes of shared memory of a program.
        warps: of a program.
    """

    kernel: str
    registers: int
    stack: int
    shared: int
    warps: int


class Hopper:
    """Triton's view of a machine with an H100 or H200, enough to compile for it."""

    def get_current_target(self) -> GPUTarget:
        """Return what to compile for: compute capability 9.0, warps of 32 threads."""
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        """Return the number of the device."""
        return 0

    def get_current_stream(self, device: int) -> int:
        """Return the stream."""
        return 0


class Compiling:
    """Stands in for a kernel: compiles it for what it is called with, and runs nothing."""

    def __init__(self, kernel: Any, found: list[Resources]):
        self.kernel = kernel
        self.found = found

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        """Return what takes the arguments of a launch."""

        def launch(*arguments: Any, **constants: Any) -> None:
            made = self.kernel.warmup(*arguments, grid=grid, **constants)
            registers, stack = usage(made.asm["cubin"])
            metadata = made.metadata
            name = self.kernel.fn.__name__
            self.found.append(
                Resources(name, registers, stack, metadata.shared, metadata.num_warps)
            )

        return launch


def usage(cubin: bytes) -> tuple[int, int]:
    """Return the registers of a thread, and the bytes of its stack."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(cubin)
        command = [TOOLS / "cuobjdump", "--dump-resource-usage", path]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    registers, stack = re.search(r"REG:(\d+) STACK:(\d+)", text).groups()
    return int(registers), int(stack)


@contextmanager
def compiling() -> Iterator[list[Resources]]:
    """Compile kernels instead of launching them; gives the list of what they need."""
    found: list[Resources] = []
    kernels = (
        (backend, "forward_kernel"),
        (backend, "backward_kernel"),
        (readout, "readout_kernel"),
        (adam, "adam_kernel"),
    )
    before = driver._active
    with ExitStack() as stack:
        stack.callback(setattr, driver, "_active", before)
        driver.set_active(Hopper())
        for module, name in kernels:
            made = Compiling(getattr(module, name), found)
            stack.enter_context(patch.object(module, name, made))
        yield found


@torch.no_grad()
def of_cell(
    name: str, n: int, *, members: int = 3, steps: int = 60, batch: int = 60, dtype=torch.float32
) -> list[Resources]:
    """Return what the forward and the backward kernel of a layer of n units need."""
    cell = RNN(name, 2, n, population=members, dtype=dtype).cells[0]
    binding(type(cell))
    parts = len(cell.state_names)
    state = [torch.zeros(members, batch, n, dtype=dtype) for _ in range(parts)]
    x, rows = torch.zeros(members, steps, batch, 2, dtype=dtype), np.full(steps, batch)
    run = run_of(cell, rows, parts, x, [*state, *weights_of(cell)], training=True)
    recurrence, grad = recurrence_of(cell), torch.zeros(members, steps, batch, n, dtype=dtype)
    with compiling() as found:
        triton_backend = backend.TritonBackend()
        kept = triton_backend.forward(recurrence, run)
        triton_backend.backward(recurrence, run, kept, grad, torch.zeros_like(run.state), True)
    return found


def of_training(n: int, error: str = "squared", *, members: int = 3) -> list[Resources]:
    """Return what the kernels of the readout and of Adam need."""
    features, target = torch.zeros(members, 60, 60, n), torch.zeros(members, 60, 60, 2)
    weights = [torch.zeros(members, n, 2), torch.zeros(members, 2)]
    rates, active = torch.zeros(members), torch.ones(members, dtype=torch.bool)
    steps = torch.ones((), dtype=torch.float64)
    with compiling() as found:
        backend.read_out(features, *weights, target, target, error)
        backend.adam_step(*[weights] * 4, rates, active, steps, (0.9, 0.999), 1e-8)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_kernels", description=__doc__)
    parser.add_argument("--units", type=int, default=100, help="of a layer")
    units = parser.parse_args().units
    print("| kernel | registers | spilled, bytes | shared memory, KB | warps |")
    print("|---|---:|---:|---:|---:|")
    for name in CELLS:
        for found in of_cell(name, units):
            print(line(f"{name}, {found.kernel.removesuffix('_kernel')}", found))
    for found in of_training(units):
        print(line(found.kernel.removesuffix("_kernel"), found))


def line(name: str, found: Resources) -> str:
    """Return a line of the table."""
    cells = name, found.registers, found.stack, f"{found.shared / 1024:.0f}", found.warps
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
