"""The training loop of every task: a population of models, trained as one computation."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..cells import cell_class
from ..jobs.errors import UserError
from ..jobs.interruption import Interrupted, deferred
from ..layers.network import Network
from ..layers.rnn import RNN
from ..study.models import RunSpec
from ..tasks import Outcome, Task, task_class
from .budget import largest_hidden_size
from .checkpoint import Checkpoint
from .patience import Patience
from .ridge import ridge_regression
from .step import TrainingStep

logger = logging.getLogger(__name__)


@dataclass
class Result:
    """The result of a population's training.

    Attributes:
        metrics: one row per seed, metric and position: seed, metric, axis, position, value.
        examples: a few samples: seed, sample, step, coordinate, target, prediction.
        score: the task's number to maximise, ``(S,)``; a diverged member scores as if it had
            learned nothing.
        diverged: whether each member's loss stopped being a finite number.
        steps: gradient steps of each member, ``(S,)``.
        seconds: wall time of the training and the evaluation, over all processes that it took.
        resumed: how often the training went on from a checkpoint.
        hidden_size: units per layer.
        parameters: number of learned parameters per member.
        device: where it ran.
        validation: the validation scores, ``(S,)``, if they were asked for; NaN for a diverged
            member.
    """

    metrics: pd.DataFrame
    examples: pd.DataFrame
    score: np.ndarray
    diverged: np.ndarray
    steps: np.ndarray
    seconds: float
    resumed: int
    hidden_size: int
    parameters: int
    device: str
    validation: np.ndarray | None = None


def resolve_device(name: str) -> torch.device:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UserError: if ``cuda`` is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is 'cuda', but PyTorch sees no CUDA device; allowed: auto, cpu")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Return the kind of a device, with the name of a GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def train(
    spec: RunSpec,
    seeds: Sequence[int],
    hyperparameters: Sequence[Mapping[str, float]],
    data: np.ndarray | None = None,
    checkpoint: Checkpoint | None = None,
    progress_seconds: float = 5.0,
    validate: bool = False,
) -> Result:
    """Train one population: member k uses ``seeds[k]`` and ``hyperparameters[k]``.

    With a checkpoint, an interrupted training goes on where it was. On one CPU thread it ends with
    exactly the numbers of a training that was never interrupted. The checkpoint is for the caller
    to remove, once the result is safe.

    Args:
        spec: what all members have in common.
        seeds: one per member.
        hyperparameters: for each member ``lr`` (unless nothing is learned by gradient descent), the
            task's and the cell's hyperparameters.
        data: data set of a task that has one.
        checkpoint: where the state is kept; for gradient descent only.
        progress_seconds: pause between progress lines in the log.
        validate: whether the validation score of the trained networks is wanted.

    Raises:
        Interrupted: if a signal asks for the end; the checkpoint is written before.
        UserError: if the device, the data or the hyperparameters do not fit.
        ValueError: if the cell cannot be made.
    """
    began = time.perf_counter()
    work, network = assemble(spec, seeds, hyperparameters, data)
    loop = _Loop(work, network, progress_seconds, checkpoint, began)
    if spec.training.readout == "ridge":
        loop.fit_readout(spec.training.ridge)
    else:
        with deferred():
            loop.descend([member["lr"] for member in hyperparameters])
    outcome = loop.evaluate()
    per_member = sum(p.numel() for p in network.parameters() if p.requires_grad) // len(seeds)
    return Result(
        metrics=pd.concat([loop.metrics(), outcome.metrics], ignore_index=True),
        examples=outcome.examples,
        score=outcome.score,
        diverged=loop.diverged,
        steps=loop.steps_made,
        seconds=loop.seconds(),
        resumed=loop.resumed,
        hidden_size=network.rnn.hidden_size,
        parameters=per_member,
        device=describe_device(work.device),
        validation=loop.validation() if validate else None,
    )


def assemble(
    spec: RunSpec,
    seeds: Sequence[int],
    hyperparameters: Sequence[Mapping[str, float]],
    data: np.ndarray | None = None,
) -> tuple[Task, Network]:
    """Make the task and the untrained networks of a population; arguments as for :func:`train`.

    Raises:
        UserError: if the data or the hyperparameters do not fit the task.
        ValueError: if the cell cannot be made.
    """
    device = resolve_device(spec.device)
    kind, made = task_class(spec.task), cell_class(spec.cell)
    work = kind(spec.length, seeds, hyperparameters, spec.training, device, data)
    work.fit_to(made)
    own = {
        name: [member[name] for member in hyperparameters]
        for name in hyperparameters[0]
        if name != "lr" and name not in kind.search_space
    }
    try:
        make = partial(
            RNN,
            spec.cell,
            work.input_size,
            num_layers=spec.layers,
            population=len(seeds),
            **spec.options,
            **own,
        )
        hidden_size = spec.hidden_size or largest_hidden_size(
            spec.parameters, partial(make, device="meta"), work.output_size
        )
        rnn = make(hidden_size)
    except UserError:
        raise
    except Exception as error:  # a user's cell may do anything
        raise ValueError(
            f"cannot make the cell {spec.cell!r}: {type(error).__name__}: {error}"
        ) from error
    network = Network(
        rnn, work.output_size, *work.readout_initial(hidden_size), seeds, work.input_sizes
    ).to(device)
    work.prepare(network)
    return work, network


#: On a GPU, steps between two tests of whether any member still trains; a test synchronises with
#: the device.
STEPS_BETWEEN_LOOKS = 100


class _Loop:
    """The training of one population, and its records.

    A checkpoint needs no state of any random generator: the data of a step depend on the seeds and
    the step's number alone, and tensors that are not learned are drawn again.
    """

    def __init__(
        self,
        task: Task,
        network: Network,
        progress_seconds: float,
        checkpoint: Checkpoint | None,
        began: float,
    ):
        self.task = task
        self.network = network
        self.progress_seconds = progress_seconds
        self.checkpoint = checkpoint
        self.began = began
        self.resumed = 0
        self.step: TrainingStep | None = None
        self.checks: list[tuple[int, dict[str, np.ndarray], np.ndarray]] = []
        self.patience: Patience | None = None
        self.losses: np.ndarray  # (S, steps), NaN where a member made no step
        self.steps_made: np.ndarray
        self.diverged: np.ndarray

    def descend(self, rates: Sequence[float]) -> None:
        """Train by gradient descent until the task's last step, or until all members stopped."""
        task = self.task
        self.step = step = TrainingStep(task, self.network, rates)
        if (epochs := task.settings.patience) is not None:
            self.patience = Patience(epochs, step.optimiser.parameters)
        if self.checkpoint is not None and (state := self.checkpoint.restore()):
            self.load(state)
            logger.info("resumed at step %d of %d", step.made, task.steps)
        progress = _Progress(task.steps, self.progress_seconds, step.made)
        pause = 1 if task.device.type == "cpu" else STEPS_BETWEEN_LOOKS
        while step.made < task.steps:
            if step.made % pause == 0 and not step.active.any():
                break
            step()
            self._check(step.made, step.active)
            if self.patience is not None and step.made % task.steps_per_epoch == 0:
                self._validate(step.made // task.steps_per_epoch, step.active)
            progress.step(step.made, step.losses)
            if self.checkpoint is not None and self.checkpoint.due():
                self._save()
        if self.patience is not None:
            self.patience.restore()
        self._keep(step.losses, step.steps_made)
        progress.finish(step.made, f"{self.diverged.sum()} of {len(rates)} diverged")

    def evaluate(self) -> Outcome:
        """Evaluate the network; if a signal ends that, the training is in the checkpoint."""
        try:
            with torch.no_grad():
                return self.task.outcome(self.network, self.diverged)
        except Interrupted:
            if self.checkpoint is not None and self.step is not None:
                self._save()
            raise

    @torch.no_grad()
    def validation(self) -> np.ndarray:
        """Return the validation scores of the trained networks; NaN for diverged members."""
        return np.where(self.diverged, np.nan, self.task.validate(self.network))

    def seconds(self) -> float:
        """Return the wall time so far, with that of the processes before."""
        return time.perf_counter() - self.began

    def _save(self) -> None:
        logger.info("checkpoint at step %d of %d", self.step.made, self.task.steps)
        self.checkpoint.save(self.state())

    def state(self) -> dict:
        """Return everything that the rest of the training depends on, and the losses so far."""
        return {
            "made": self.step.made,
            "tensors": self.step.tensors(),
            "checks": [
                (position, {k: torch.as_tensor(v) for k, v in values.items()}, torch.as_tensor(run))
                for position, values, run in self.checks
            ],
            "patience": None if self.patience is None else self.patience.state(),
            "seconds": self.seconds(),
            "resumed": self.resumed,
        }

    def load(self, state: Mapping) -> None:
        """Go on from what :meth:`state` returned."""
        with torch.no_grad():
            for name, tensor in self.step.tensors().items():
                tensor.copy_(state["tensors"][name])
        self.step.made = state["made"]
        self.checks = [
            (position, {name: v.numpy() for name, v in values.items()}, running.numpy())
            for position, values, running in state["checks"]
        ]
        if self.patience is not None:
            self.patience.load(state["patience"])
        self.began -= state["seconds"]
        self.resumed = state["resumed"] + 1

    def _check(self, step: int, active: Tensor) -> None:
        """Measure if due, and stop the members that are finished."""
        with torch.no_grad():
            measured = self.task.check(self.network, step)
        if measured is None:
            return
        values, position = measured
        running = active.cpu().numpy().copy()
        self.checks.append((position, values, running))
        active &= ~torch.as_tensor(self.task.finished(values) & running, device=active.device)
        shown = ", ".join(f"{name} {np.nanmean(v):.4g}" for name, v in values.items())
        logger.info("after step %d: %s, %d members train on", step, shown, int(active.sum()))

    def _validate(self, epoch: int, active: Tensor) -> None:
        """Measure the validation score, and stop the members that have run out of patience."""
        with torch.no_grad():
            score = self.task.validate(self.network)
        running = active.cpu().numpy().copy()
        self.checks.append((epoch, {"validation_score": score}, running))
        stopped = self.patience.tell(torch.as_tensor(score, device=active.device), active)
        active &= ~stopped

    @torch.no_grad()
    def fit_readout(self, ridge: float) -> None:
        """Fit the readout in closed form; nothing else is trained."""
        task, readout = self.task, self.network.readout
        for k, (features, targets) in enumerate(task.regression(self.network)):
            readout.weight[k], readout.bias[k] = ridge_regression(features, targets, ridge)
        loss = task.loss(self.network, task.batch(0))
        self._keep(loss[:, None], torch.ones(len(task.seeds), dtype=torch.int64))
        logger.info("readout fitted: mean loss %.4g", loss.nanmean().item())

    def _keep(self, losses: Tensor, steps_made: Tensor) -> None:
        """Keep what :class:`TrainingStep` recorded."""
        self.steps_made = steps_made.cpu().numpy()
        number = np.arange(1, self.steps_made.max() + 1)
        made = number <= self.steps_made[:, None]
        self.losses = np.where(made, losses[:, : len(number)].double().cpu().numpy(), np.nan)
        # A member's loss is finite at every step but the one that it diverges at, its last.
        self.diverged = (made & ~np.isfinite(self.losses)).any(1)

    def metrics(self) -> pd.DataFrame:
        """Return the losses and the measurements during training, as metric rows."""
        steps = range(1, self.losses.shape[1] + 1)
        tables = [self.task.rows("train_loss", "step", steps, self.losses)]
        for position, values, running in self.checks:
            for name, value in values.items():
                value = np.where(running, value, np.nan)[:, None]
                tables.append(self.task.rows(name, "epoch", [position], value))
        return pd.concat(tables).dropna(subset="value")


class _Progress:
    """Progress lines in the log: step, loss, steps per second, time left."""

    def __init__(self, steps: int, pause: float, first: int = 0):
        self.steps = steps
        self.first = first
        self.pause = pause
        self.began = self.last = time.perf_counter()

    def step(self, step: int, losses: Tensor) -> None:
        """Log a line if the last one is long enough ago, given the losses ``(S, steps)`` so far."""
        now = time.perf_counter()
        if now - self.last < self.pause:
            return
        self.last = now
        rate = (step - self.first) / (now - self.began)
        logger.info(
            "step %d of %d, loss %.4g, %.1f it/s, ETA %.0f s",
            step,
            self.steps,
            losses[:, step - 1].nanmean().item(),
            rate,
            (self.steps - step) / rate,
        )

    def finish(self, step: int, why: str) -> None:
        """Log the last line."""
        seconds = time.perf_counter() - self.began
        logger.info("%d steps in %.1f s, %s", step - self.first, seconds, why)
