"""The disk fills up under a job: one line says so, nothing half stays, and a rerun finishes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .comparison import assert_undisturbed
from .processes import wait_for
from .projects import Project


class Disk:
    """A small file system in memory, and a file that fills it up."""

    def __init__(self, folder: Path, kilobytes: int):
        folder.mkdir()
        self.folder = folder
        self.filling = folder / "filling"
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            pytest.skip(f"mounting a file system needs root: {made.stderr.strip()}")
        (folder / "results").mkdir()

    def leave(self, kilobytes: int) -> None:
        """Fill the disk until so much is free."""
        self.empty()
        room = shutil.disk_usage(self.folder).free - kilobytes * 1024
        self.filling.write_bytes(bytes(room))

    def empty(self) -> None:
        self.filling.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)


@pytest.fixture
def disk(tmp_path):
    """Make disks; they are unmounted at the end."""
    made = []

    def make(name: str, kilobytes: int) -> Disk:
        made.append(Disk(tmp_path / name, kilobytes))
        return made[-1]

    yield make
    for disk in made:
        disk.close()


@pytest.fixture
def disks(forks, disk):
    """The results of every fork on a disk of its own."""
    pairs = {}
    for k, fork in enumerate(forks.all):
        shutil.rmtree(fork.results, ignore_errors=True)
        pairs[fork] = disk(f"disk-{k}", 4000)
        fork.results.symlink_to(pairs[fork].folder / "results")
    yield pairs
    for fork in pairs:
        fork.results.unlink()


@pytest.mark.parametrize(
    ("rule", "study", "free"),
    [
        ("data", "capacity", [0, 400, 1200]),
        ("search", "capacity", [0, 4, 8, 12, 16, 20]),
        ("optimum", "capacity", [0, 40, 80]),
        ("train", "copy", [0, 4, 8, 12, 16, 20]),
        ("aggregate", "capacity", [0, 8, 16, 24, 32]),
        ("figure_capacity", "capacity", [0, 16, 32, 64]),
    ],
)
def test_a_job_on_a_full_disk(rule, study, free, forks, disks, job, tally):
    hungry = job(rule, study)

    def trial(fork, kilobytes):
        with tally.tries(f"full disk under a job ({rule})"):
            disks[fork].empty()
            fork.prepare(hungry)
            disks[fork].leave(kilobytes)
            code = fork.run(hungry)
            if rule != "search":  # which shows its observations while it goes on
                fork.assert_whole(hungry)
            if code:
                assert code == 1
                assert "No space left on device" in fork.terminal
                assert "Traceback" not in fork.terminal
            disks[fork].empty()
            fork.finish(hungry)
        codes.append(code)

    codes: list[int] = []
    forks.each(trial, free)
    assert 1 in codes


def test_a_checkpoint_that_cannot_be_written_does_not_end_a_training(forks, disks, job, tally):
    training, fork = job("train", "copy"), forks.all[0]
    log = fork.folder / training.log

    def complained() -> bool:
        return log.exists() and "no new checkpoint could be written" in log.read_text()

    with tally.tries("full disk under a checkpoint"):
        fork.prepare(training)
        disks[fork].leave(0)
        pid = fork.start(training)
        wait_for(complained, "a line in the log", 20)
        disks[fork].empty()
        assert fork.wait(pid) == 0, fork.terminal
        fork.assert_whole(training)


@pytest.mark.parametrize("everything", [False, True], ids=["results", "the whole folder"])
def test_snakemake_on_a_full_disk(everything, disk, finished, reference, tally):
    """The disk is full at the end of the study, and has room again when it is run once more."""
    where = disk("disk", 20000)
    if everything:
        shutil.copytree(finished.folder, where.folder / "project")
        project = Project(where.folder / "project")
    else:
        project = finished
        shutil.copytree(project.results, where.folder / "results", dirs_exist_ok=True)
        shutil.rmtree(project.results)
        project.results.symlink_to(where.folder / "results")
    for name in ("runs/copy", "tables/copy", "figures/copy"):
        shutil.rmtree(project.results / name)
    where.leave(4)
    with tally.tries("full disk under Snakemake"):
        head = project.run()
        assert head.code == 1
        assert "No space left on device" in head.text
        where.empty()
        project.succeed()
        assert_undisturbed(project.results, reference.results)
