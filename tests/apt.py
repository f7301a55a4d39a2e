"""What the tests need of the system, installed with apt."""

import os
import shutil
import subprocess
from collections.abc import Sequence


def install(packages: Sequence[str], needed_by: str) -> str | None:
    """Install Debian packages (as root); return None, or one line that says why it failed."""
    names = ", ".join(packages)
    if not shutil.which("apt-get"):
        return f"{needed_by} needs {names}; there is no apt-get to install it."
    # The packages' own services are not to start.
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", *arguments], env=quiet, capture_output=True, text=True, timeout=600
        )
        if done.returncode != 0:
            why = " ".join((done.stderr or done.stdout).split()[-40:])
            return f"{needed_by} needs {names}; apt-get {arguments[0]}: {why}"
    return None
