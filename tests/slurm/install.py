"""Install what SLURM needs with apt, unless no cluster may be started here.

In either case of trouble the program ends with one line and an exit code other than 0.
"""

import shutil
import sys

from ..apt import install
from .cluster import PACKAGES, obstacle


def main() -> None:
    """Install the packages that are missing."""
    if reason := obstacle():
        sys.exit(f"No SLURM can be started for the tests: {reason}.")
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        sys.exit(install(missing, "The SLURM test"))


if __name__ == "__main__":
    main()
