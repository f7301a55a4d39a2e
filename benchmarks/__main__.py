"""Time all cases, and write the table and its figure (``make bench``).

A full run writes what the documentation shows: docs/bench.csv and docs/images/bench.png. A part of
it (``make bench QUICK=1``) leaves those as they are, and writes to results/bench.
"""

import argparse
import os
import time
from pathlib import Path

#: A quick run starts no further case after this many seconds.
QUICK = 60.0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few cases, within two minutes")
    parser.add_argument("--only", default="", help="the cases that have this in their name")
    options = parser.parse_args()
    # The numerical libraries read these when they are first imported.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    began = time.perf_counter()
    import pandas as pd
    import torch

    from .cases import cases
    from .figure import draw, save
    from .table import line, rows_of

    torch.set_num_threads(1)
    tables = []
    for case in cases(options.quick):
        if options.only not in case.name:
            continue
        if options.quick and time.perf_counter() - began > QUICK:
            print(f"{case.name:36s} left out, the time is up")
            continue
        tables.append(rows_of(case, 1.0 if options.quick else 5.0, 3 if options.quick else 10))
        for _, row in tables[-1].iterrows():
            print(line(row), flush=True)
    if not tables:
        parser.error(f"no case has {options.only!r} in its name")
    table = pd.concat(tables, ignore_index=True)

    part = options.quick or options.only
    csv = Path("results/bench/bench.csv" if part else "docs/bench.csv")
    png = Path("results/bench/bench.png" if part else "docs/images/bench.png")
    csv.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(csv, index=False, float_format="%.4g")
    save(draw(table), png)
    print(f"{csv} and {png} written after {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
