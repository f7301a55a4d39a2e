"""Where a result comes from: code, versions, machine, cost."""

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "rnncells",
    "torch",
    "numpy",
    "numba",
    "scipy",
    "scikit-optimize",
    "pandas",
    "snakemake",
)


#: The environment variable that brings the hash of the whole configuration to a job. It is not a
#: parameter of the job: adding a study must not make the others stale.
CONFIG_HASH = "RNNCELLS_CONFIG_HASH"


def record(
    *,
    rule: str,
    parameters: Mapping,
    seeds: Sequence[int],
    seconds: float,
    device: str = "cpu",
    resumed: int = 0,
    attempt: int = 1,
    **more: object,
) -> dict:
    """Return the record of a job's origin and cost, which is written beside its results.

    Args:
        rule: the job's rule.
        parameters: what the job was given.
        seeds: the seeds of its random draws.
        seconds: wall time, over all processes that it took. (``processor_seconds`` is added: the
            processor time of this process, user and system, since its start.)
        device: where it computed.
        resumed: how often it went on where an earlier process had ended.
        attempt: which of Snakemake's attempts succeeded, from 1.
        more: further entries.
    """
    return {
        "rule": rule,
        "parameters": dict(parameters),
        "seeds": list(seeds),
        **more,
        "seconds": seconds,
        "processor_seconds": round(time.process_time(), 3),
        "device": device,
        "retries": attempt - 1,
        "resumed": resumed,
        "config_hash": os.environ.get(CONFIG_HASH),
        "git": git_state(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "processor": processor(),
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }


def source() -> str:
    """Return code and configuration in one line, for the metadata of a figure's files."""
    git = git_state()
    parts = [f"rnncells {_version('rnncells')}"]
    if git:
        parts.append(f"commit {git['commit']}{' with changes' if git['dirty'] else ''}")
    if CONFIG_HASH in os.environ:
        parts.append(f"configuration {os.environ[CONFIG_HASH]}")
    return ", ".join(parts)


def git_state() -> dict | None:
    """Return the commit of the source and whether it has been changed; None outside git."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            # Without locks: a job that is killed must not leave one in the user's repository.
            ["git", "--no-optional-locks", "-C", str(here), *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def processor() -> str:
    """Return the model of the processor, on which rounding depends."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def peak_memory_mb() -> float:
    """Return this process's largest resident set so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
