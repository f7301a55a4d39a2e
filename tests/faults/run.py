"""Run all tests of faults, side by side, and count what was tried and survived.

    python -m tests.faults.run [arguments for pytest]

One process disturbs Snakemake, one its results, one SLURM, if it may be started here, and one
everything else.
What they print comes when they end. The table of all faults is in ``build/faults.md``. After ten
minutes everything is ended, whatever it is at.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.tally import table

ROOT = Path(__file__).parents[2]

#: The tests of each process.
PARTS = {
    "snakemake": ["tests/faults/test_head.py"],
    "results": ["tests/faults/test_advice.py"],
    "jobs": [
        "tests/faults",
        *(f"--ignore=tests/faults/test_{name}.py" for name in ("head", "advice")),
    ],
    "slurm": ["tests/slurm", "-m", "faults"],
}
#: Everything is ended after this many seconds, and a little later if it does not clean up then.
LIMIT = 570
GRACE = 60


def main() -> None:
    """Run everything; the exit code is 0 if all faults were survived."""
    began = time.monotonic()
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    install = [sys.executable, "-m", "tests.slurm.install"]
    slurm = subprocess.run(install, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if slurm.returncode:
        del PARTS["slurm"]
    tallies = {part: folder / f"faults-{part}.json" for part in PARTS}
    outputs = {part: folder / f"faults-{part}.log" for part in PARTS}
    with TemporaryDirectory() as reference:
        running = [
            start(tests, outputs[part], tallies[part], reference) for part, tests in PARTS.items()
        ]
        try:
            for process in running:
                process.wait(max(0, began + LIMIT - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            print(f"not done after {time.monotonic() - began:.0f} s: everything is ended")
        finally:
            for process in running:
                process.terminate()  # it cleans up; one that has ended is left alone
            for process in running:
                process.wait(GRACE)
    for part, output in outputs.items():
        print(f"\n{part}:\n{output.read_text()}")
        output.unlink()
    if slurm.returncode:
        print(f"The faults of a cluster are left out. {slurm.stderr.strip()}")
    counted = table(file for file in tallies.values() if file.exists())
    (folder / "faults.md").write_text(counted + "\n")
    print(f"\n{counted}\n\n{time.monotonic() - began:.0f} s; the table is in build/faults.md")
    sys.exit(any(process.returncode for process in running))


def start(tests: list[str], output: Path, tally: Path, reference: str) -> subprocess.Popen:
    """Start a part; the first one that needs the undisturbed run makes it for all."""
    tally.unlink(missing_ok=True)
    with output.open("w") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *tests, *sys.argv[1:]],
            cwd=ROOT,
            env=os.environ | {"FAULTS_TALLY": str(tally), "FAULTS_REFERENCE": reference},
            stdout=out,
            stderr=subprocess.STDOUT,
        )


if __name__ == "__main__":
    main()
