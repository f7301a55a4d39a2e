"""What the jobs of the rules train, search and grid share: log, lock, device, data, checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..jobs.files import read_array
from ..jobs.fingerprint import fingerprint
from ..jobs.gpu import leased
from ..jobs.job import job
from ..jobs.locks import locked
from ..study.models import RunSpec
from .checkpoint import Checkpoint, pause
from .loop import resolve_device

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@dataclass(frozen=True)
class TrainingJob:
    """What a job trains, on what, and where it keeps its state.

    Attributes:
        spec: what all members have in common.
        folder: the job's own folder.
        data_files: the file of the data set, if there is one.
        codes: the fingerprint of the source for each kind of device.
        device: where it trains.
    """

    spec: RunSpec
    folder: Path
    data_files: list[str]
    codes: Mapping[str, str]
    device: torch.device

    def data(self) -> np.ndarray | None:
        """Read the data set; None for a task without one.

        Raises:
            DamagedFile: if the file is damaged.
        """
        return read_array(self.data_files[0]) if self.data_files else None

    def checkpoint(self, **more: object) -> Checkpoint:
        """Return the job's checkpoint, whose identity also has specification, source and data.

        Args:
            more: what else the numbers depend on, as JSON.
        """
        code = fingerprint(self.codes[self.device.type], files=self.data_files)
        identity = {**self.spec.model_dump(), **more, "code": code, "device": self.device.type}
        return Checkpoint(self.folder / ".checkpoint", identity, pause())


@contextmanager
def training_job(
    snakemake: Snakemake, spec: Mapping, codes: Mapping[str, str]
) -> Iterator[TrainingJob]:
    """Run a job: with its log, alone in its folder, and on a GPU of its own where it uses one.

    Failures and signals end the process as in :func:`rnncells.jobs.job.job`.

    Args:
        snakemake: the job; its output ``run`` says which is its folder.
        spec: dictionary of the :class:`~rnncells.study.models.RunSpec`.
        codes: the fingerprint of the source for each kind of device.

    Yields:
        what to train, where.
    """
    w, folder = snakemake.wildcards, Path(snakemake.output.run).parent
    name = f"{snakemake.rule} {w.study} {w.cell} length={w.length} {w.size} layers={w.layers}"
    if seeds := w.get("seeds"):
        name += f" seeds={seeds}"
    waiting = f"another process does this {snakemake.rule} job; waiting until it has ended"
    with (
        job(name, snakemake.log[0]),
        locked(folder / ".lock", waiting),
        leased(spec["device"]),
    ):
        files = [data] if (data := snakemake.input.get("data")) else []
        checked = RunSpec(**spec)
        yield TrainingJob(checked, folder, files, dict(codes), resolve_device(checked.device))
