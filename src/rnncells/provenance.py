"""Where a result comes from: code, versions, machine, cost."""

import platform
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("rnncells", "torch", "numpy", "scipy", "scikit-optimize", "pandas", "snakemake")


def provenance() -> dict:
    """Return git commit and dirty flag, library versions, host class, and peak memory so far."""
    return {
        "git": git_state(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "host": f"{platform.system()} {platform.machine()}",
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }


def git_state() -> dict | None:
    """Return the commit of the source and whether it has been changed; None outside git."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def peak_memory_mb() -> float:
    """Return this process's largest resident set so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
