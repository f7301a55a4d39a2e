"""Install what SLURM needs with apt, unless no cluster may be started here.

In either case of trouble the program ends with one line and an exit code other than 0.
"""

import os
import shutil
import subprocess
import sys

from .cluster import PACKAGES, obstacle


def main() -> None:
    """Install the packages that are missing."""
    if reason := obstacle():
        sys.exit(f"No SLURM can be started for the tests: {reason}.")
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        sys.exit(f"The SLURM tests need {', '.join(missing)}; there is no apt-get to install it.")
    # The packages' own services are not to start.
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
    install = ["install", "--yes", "--no-install-recommends", *missing]
    for arguments in (["update"], install):
        done = subprocess.run(
            ["apt-get", *arguments], env=quiet, capture_output=True, text=True, timeout=600
        )
        if done.returncode != 0:
            why = " ".join((done.stderr or done.stdout).split()[-40:])
            sys.exit(f"The SLURM tests need {', '.join(missing)}; apt-get {arguments[0]}: {why}")


if __name__ == "__main__":
    main()
