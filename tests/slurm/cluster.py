"""A SLURM cluster of one node on this machine, with two GPUs that are not there.

    python cluster.py FOLDER

starts munge, slurmctld and slurmd, prints `ready`, and stops them when its standard input ends: the
cluster ends with the process that started it, however that ends. All files are in FOLDER, except
for two that SLURM wants in /etc/slurm. These are removed at the end, and nothing is started where
there are such files or a SLURM already.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

import psutil

HERE = Path(__file__).parent
ETC = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
DAEMONS = ("slurmctld", "slurmd", "slurmdbd")
#: What the packages put into /etc/slurm.
PACKAGED = {"plugstack.conf", "plugstack.conf.d"}
#: The programs that are needed, and the packages that have them.
PACKAGES = {
    "munged": "munge",
    "sbatch": "slurm-client",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
}


def obstacle() -> str | None:
    """Return why no cluster may be started here, or None."""
    if os.geteuid() != 0:
        return f"it takes root (apt-get install {' '.join(PACKAGES.values())}, and to start them)"
    if "SLURM_CONF" in os.environ:
        return "SLURM_CONF is set"
    for process in psutil.process_iter(["name"]):
        if process.info["name"] in DAEMONS:
            return f"{process.info['name']} runs already (process {process.pid})"
    for file in sorted(ETC.glob("*")):
        if file.name not in PACKAGED:
            return f"{file} exists already"
    if shutil.which("sinfo") and slurm("sinfo"):
        return "there is a SLURM already (sinfo finds it)"
    return None


@contextmanager
def configuration(folder: Path) -> Iterator[None]:
    """Keep this cluster's files in /etc/slurm."""
    there = ETC.exists()
    ETC.mkdir(exist_ok=True)
    try:
        for name in FILES:
            text = Template((HERE / name).read_text())
            (ETC / name).write_text(text.substitute(folder=folder, host=node()))
        yield
    finally:
        for name in FILES:
            (ETC / name).unlink(missing_ok=True)
        if not there:
            ETC.rmdir()


@contextmanager
def daemon(log: Path, *command: str | Path) -> Iterator[None]:
    """Keep a daemon running."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def munge(folder: Path) -> Iterator[None]:
    """Keep a munge of this cluster's own running; one of the machine's is not touched."""
    folder.mkdir(mode=0o755)
    key = folder / "key"
    key.touch(mode=0o400)
    key.write_bytes(secrets.token_bytes(128))
    files = {"socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log"}
    options = [f"--{option}={folder / name}" for option, name in files.items()]
    # Forced, because it wants a folder that every user can reach; here all users are root.
    with daemon(folder / "out", "munged", "--foreground", "--force", f"--key-file={key}", *options):
        wait_for((folder / "socket").exists, 10, folder / "out")
        yield


@contextmanager
def no_job_left() -> Iterator[None]:
    """Cancel all jobs at the end, and wait until their processes are gone."""
    try:
        yield
    finally:
        subprocess.run(["scancel", "--signal=KILL", "--full", "--user=root"], timeout=20)
        subprocess.run(["scancel", "--user=root"], timeout=20)
        wait_for(lambda: not slurm("squeue", "--noheader"), 60)


def wait_for(condition: Callable[[], bool], seconds: float = 120, log: Path | None = None) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: if it does not come true in time; with the end of the log.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(log.read_text()[-2000:] if log else f"waited {seconds} s in vain")
        time.sleep(0.2)


def node() -> str:
    """Return the name of the only node."""
    return socket.gethostname().split(".")[0]


def slurm(*command: str) -> str:
    """Return what a SLURM command prints; empty if it fails or does not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def idle() -> bool:
    """Return whether the node waits for jobs."""
    return slurm("sinfo", "--noheader", "--format=%T") == "idle"


def main() -> None:
    """Run the cluster until standard input ends."""
    if reason := obstacle():
        sys.exit(f"No SLURM can be started for the tests: {reason}.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(sys.argv[1]).resolve()
    for name in ("slurmctld", "slurmd"):
        (folder / name).mkdir(parents=True)
    with ExitStack() as stack:
        stack.enter_context(configuration(folder))
        stack.enter_context(munge(folder / "munge"))
        for name in ("slurmctld", "slurmd"):
            stack.enter_context(daemon(folder / f"{name}.out", name, "-D"))
        wait_for(idle, 60, folder / "slurmctld.log")
        stack.enter_context(no_job_left())
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
