"""Time all cases, and write the table, its page and its figure (``make bench``).

A full run writes what the documentation shows: docs/bench.csv, docs/speed.md and
docs/images/bench.png. A part of it (``make bench QUICK=1``) leaves those as they are, and writes to
results/bench.
"""

import argparse
import os
import time
from pathlib import Path

#: Beginnings of the names of variables that tell numerical libraries what to do.
LIBRARIES = ("OPENBLAS_", "MKL_", "DNNL_", "ONEDNN_", "GOTO_", "BLIS_", "NUMBA_CPU_")
#: A quick run starts no further case after this many seconds.
QUICK = 60.0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few cases, within two minutes")
    parser.add_argument("--only", default="", help="the cases that have this in their name")
    options = parser.parse_args()
    # The numerical libraries read these when they are first imported. They are to choose for this
    # processor what they would choose for any user of it.
    for variable in [name for name in os.environ if name.startswith(LIBRARIES)]:
        print(f"{variable}={os.environ.pop(variable)} is left out")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    began = time.perf_counter()
    import pandas as pd
    import torch

    from .cases import cases
    from .figure import draw, save
    from .page import page
    from .table import blas, line, rows_of

    torch.set_num_threads(1)
    if not torch.cuda.is_available():
        print("no CUDA device: the cases of the GPU are left out")
    tables = []
    for case in cases(options.quick):
        if options.only not in case.name:
            continue
        if options.quick and time.perf_counter() - began > QUICK:
            print(f"{case.name:36s} left out, the time is up")
            continue
        tables.append(rows_of(case, 1.0 if options.quick else 5.0, 3 if options.quick else 10))
        for _, row in tables[-1].iterrows():
            print(line(row, case), flush=True)
    if not tables:
        parser.error(f"no case has {options.only!r} in its name")
    table = pd.concat(tables, ignore_index=True).assign(blas=blas())
    print(table["blas"].iloc[0])

    part = options.quick or options.only
    folder = Path("results/bench" if part else "docs")
    csv, png = folder / "bench.csv", folder / ("bench.png" if part else "images/bench.png")
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(csv, index=False, float_format="%.4g")
    (folder / "speed.md").write_text(page(pd.read_csv(csv)))
    save(draw(table), png)
    seconds = time.perf_counter() - began
    print(f"{csv}, {folder / 'speed.md'} and {png} written after {seconds:.0f} s")


if __name__ == "__main__":
    main()
