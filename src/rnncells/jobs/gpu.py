"""One GPU for one job: the jobs of a machine share its GPUs by lock files.

Snakemake counts GPUs (``--resources gpu=2``) but does not say which one a job gets, and two
Snakemakes do not know of each other. So a job takes a device that no other process holds, and shows
PyTorch that one alone. Devices have the names that the driver gives them (UUIDs), which are the
same for all processes of a machine. CUDA reads which devices are visible when it is initialised,
which PyTorch does at its first use, not at its import; so a job takes its device before that.
"""

import logging
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from .errors import UserError
from .locks import release, take

logger = logging.getLogger(__name__)

#: The environment variable by which CUDA, SLURM and people say which devices a process may see.
VISIBLE = "CUDA_VISIBLE_DEVICES"
#: Pause between two looks for a free device, in seconds. (One can wait for one lock, not for the
#: first of several.)
PAUSE = 2.0


class DeviceError(UserError):
    """There is no device as the configuration asks for; the message is one line for the user."""


@contextmanager
def leased(
    device: str,
    devices: Callable[[], Sequence[str]] | None = None,
    folder: str | Path = "/tmp",
) -> Iterator[str | None]:
    """Hold one GPU during the block; wait until one is free.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        devices: finds the names of the devices that may be used (default: :func:`visible_devices`).
        folder: where the machine's lock files are. (Not TMPDIR: it may differ from job to job.)

    Yields:
        the device's name, which is the only one that CUDA sees then; None where the job runs
        without: for ``cpu``, and for ``auto`` where no devices are found, when CUDA sees none.

    Raises:
        DeviceError: for ``cuda`` on a machine without devices.
    """
    if device == "cpu":
        yield None
        return
    found = (devices or visible_devices)()
    if found:
        name, lock = _first_free(found, Path(folder))
        try:
            logger.info("runs on GPU %s", name)
            with _visible(name):
                yield name
        finally:
            release(lock)
    elif device == "cuda":
        raise DeviceError("device is 'cuda', but no GPU is visible here; allowed: auto, cpu")
    else:
        # A device that this module does not see would be nobody's, and every job would take it.
        with _visible(""):
            yield None


@contextmanager
def _visible(devices: str) -> Iterator[None]:
    """Let CUDA see these devices alone during the block."""
    before = os.environ.get(VISIBLE)
    os.environ[VISIBLE] = devices
    try:
        yield
    finally:
        del os.environ[VISIBLE]
        if before is not None:
            os.environ[VISIBLE] = before


def _first_free(devices: Sequence[str], folder: Path) -> tuple[str, FileLock]:
    """Lock the first device that is free: its name and its lock."""
    waiting = False
    while True:
        for name in devices:
            # Files of other users are not ours to open. Names of parts of a GPU may have slashes.
            path = folder / f"rnncells-{os.getuid()}-{name.replace('/', '_')}.lock"
            if (lock := take(path)) is not None:
                return name, lock
        if not waiting:
            logger.info("waiting for a GPU: all %d are taken", len(devices))
            waiting = True
        time.sleep(PAUSE)


def visible_devices() -> list[str]:
    """Return the names of the GPUs (or parts of GPUs) that this process may use.

    Asks the driver's own tool, because a first question to CUDA would fix what CUDA sees.
    """
    try:
        listed = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except FileNotFoundError:
        return []
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("no GPU is used, because they cannot be listed: %s", error)
        return []
    return chosen_devices(listed_devices(listed), os.environ.get(VISIBLE))


def listed_devices(listing: str) -> list[str]:
    """Read the names off what ``nvidia-smi -L`` prints; a divided GPU stands for its parts."""
    gpus: list[list[str]] = []
    for name in re.findall(r"\(UUID: ((?:GPU|MIG)-[^)\s]+)\)", listing):
        if name.startswith("GPU-"):
            gpus.append([name])
        else:
            gpus[-1].append(name)
    return [name for gpu, *parts in gpus for name in parts or [gpu]]


def chosen_devices(devices: Sequence[str], visible: str | None) -> list[str]:
    """Return those of ``devices`` that a value of CUDA_VISIBLE_DEVICES names.

    It names them by number or by the beginning of their names. As for CUDA, what follows an entry
    that names none is not visible.
    """
    if visible is None:
        return list(devices)
    chosen: list[str] = []
    for entry in visible.split(","):
        entry = entry.strip()
        if entry.isdecimal() and len(entry) < 10:
            named = list(devices[int(entry) : int(entry) + 1])
        else:
            named = [name for name in devices if entry and name.startswith(entry)]
        if len(named) != 1 or named[0] in chosen:
            break
        chosen += named
    return chosen
