"""Predictive coding in full: networks that predict, and correct themselves from what they see."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..cells import CELLS, cell_class
from ..cells.base import State, affine, row
from ..cells.initial import normal, normal_over_rows
from ..cells.predictive import PCRNNHCA
from ..random.streams import stream
from .rnn import make_cell, option_names


class Inference(NamedTuple):
    """What a predictive-coding network has inferred from its targets.

    Every tensor has shape ``([S,] T, B, width)``, without the batch axis if the targets have none,
    and without the time axis if it comes from a single step. The last two fields have no time axis,
    and have the form of the arguments ``h_0`` and ``causes_0``.

    Attributes:
        predictions: what the network expected, before it saw the target.
        errors: the prediction minus the target, and 0 where the target is NaN.
        prior: the predicted state by the names of the cell's state tensors: ``h``, and ``velocity``
            for the cells in generalised coordinates.
        posterior: the corrected state, by the same names.
        causes: the corrected causes; None for a cell without hidden causes.
        h_n: the corrected state after the last step.
        causes_n: the corrected causes after the last step; None for a cell without hidden causes.
    """

    predictions: Tensor
    errors: Tensor
    prior: dict[str, Tensor]
    posterior: dict[str, Tensor]
    causes: Tensor | None
    h_n: Tensor | State
    causes_n: Tensor | None


class PredictiveCoding(nn.Module):
    r"""A predictive-coding cell with its readout, which corrects its states from its errors.

    Every step predicts (top-down), compares with the target, and corrects (bottom-up):

    .. math::
        h_t &= \text{cell.step}(c_{t-1}, h^*_{t-1}) \\
        \hat y_t &= W_o \tanh(h_t) + b_o, \qquad e_t = \hat y_t - y_t \\
        h^*_t, c_t &= \text{cell.correct}(h_t, c_{t-1}, W_o^\top e_t)

    The next step starts from the corrected ("posterior") state. The cell's class gives its
    equations, and the rates that its correction takes. All rates are 0 by default, and then
    nothing is corrected: the network is :class:`rnncells.RNN` with a linear readout, and the
    causes, constant in time, are its input. A target that is NaN was not observed and corrects
    nothing.

    Initial weights: :math:`W_o \sim N(0,1)/n`, :math:`b_o \sim N(0,1)/10`.

    Args:
        cell: name of a predictive-coding cell, or ``"package.module:Class"``.
        input_size: number of hidden causes; 0 for a cell without.
        hidden_size: number n of units.
        output_size: width of the prediction and of the targets.
        bias: whether cell and readout have biases.
        population: number S of models held side by side, which adds a leading axis S everywhere.
        device, dtype: as for every PyTorch module.
        options: the cell's own options, and the rates of its correction (``alpha_x``, ``alpha_h``,
            ``alpha_h_prime``; those of the cell's ``correction_rates``): numbers of at least 0,
            or one per member. :meth:`set_rates` changes them later.

    Shapes, with T steps and B sequences:

    * targets: ``([S,] T, B, output_size)``, or ``([S,] T, output_size)`` without a batch;
    * h_0: ``([S,] B, hidden_size)``, a tuple of such tensors for a cell whose state has several;
      0 by default;
    * causes_0: ``([S,] B, input_size)``; by default all equal, with a sum of 1.

    Any cell with the methods of :class:`rnncells.cells.predictive.CorrectsState` can be used.

    Example::

        network = PredictiveCoding("PC-RNN-HC-A", 3, 60, 2, tau=5.0, alpha_x=0.1, alpha_h=0.01)
        inference = network(targets)
        inference.causes[-1], inference.posterior["h"]

        h, causes = None, None  # the same online
        for target in targets:
            inference = network.step(target, h, causes)
            h, causes = inference.h_n, inference.causes_n

    Raises:
        ValueError: for sizes, rates or a cell name that make no sense.
        TypeError: for an option that the cell does not have.
        RuntimeError: for targets, states or causes of the wrong shape.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        bias: bool = True,
        population: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ):
        super().__init__()
        made: Any = cell_class(cell)
        if not hasattr(made, "correct"):
            those = ", ".join(name for name in sorted(CELLS) if hasattr(CELLS[name], "correct"))
            raise ValueError(f"{cell} is not a predictive-coding cell; those are {those}")
        if not made.causes and input_size != 0:
            raise ValueError(f"{cell} has no hidden causes: input_size must be 0")
        if not isinstance(output_size, int) or isinstance(output_size, bool) or output_size < 1:
            raise ValueError(f"output_size must be an integer of at least 1, got {output_size!r}")
        known = [*made.correction_rates, *option_names(made)]
        for option in options:
            if option not in known:
                raise TypeError(
                    f"{cell} has no option {option!r}; its options are {', '.join(known)}"
                )
        rates = {name: options.pop(name, 0.0) for name in made.correction_rates}
        common = {"bias": bias, "population": population, "device": device, "dtype": dtype}
        self.cell: Any = make_cell(cell, input_size, hidden_size, **common, **options)
        self.cell_name = cell
        self.output_size = output_size
        self.population = population
        leading = () if population is None else (population,)
        tensor_kind: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight_ho = nn.Parameter(
            torch.empty(*leading, hidden_size, output_size, **tensor_kind)
        )
        self.bias_ho = (
            nn.Parameter(torch.empty(*leading, output_size, **tensor_kind)) if bias else None
        )
        self.set_rates(**rates)
        self._reset_readout(None)

    # Rates and parameters

    @property
    def rates(self) -> dict[str, Tensor]:
        """The rates of the correction by name: tensors without axes, or ``(S, 1, 1)``."""
        return {name: getattr(self, name) for name in self.cell.correction_rates}

    def set_rates(self, **rates: float | Sequence[float]) -> None:
        """Change rates of the correction, given by name; the others stay as they are.

        Raises:
            TypeError: for a rate that the cell's correction does not take.
            ValueError: if a rate is negative or not finite, or their number is not S.
        """
        for name, value in rates.items():
            if name not in self.cell.correction_rates:
                known = ", ".join(self.cell.correction_rates)
                raise TypeError(f"{self.cell_name} has no rate {name!r}; its rates are {known}")
            self.register_buffer(name, self._per_member(name, value), persistent=False)

    def _per_member(self, name: str, value: float | Sequence[float]) -> Tensor:
        """Return a rate, or one rate per member, as a tensor that broadcasts over states."""
        numbers = np.asarray(value, dtype=float)
        if not ((numbers >= 0) & np.isfinite(numbers)).all():
            raise ValueError(f"{name} must be at least 0 and finite, got {value!r}")
        tensor = torch.as_tensor(numbers).to(self.weight_ho)
        if numbers.ndim == 0:
            return tensor
        if self.population is None or numbers.shape != (self.population,):
            raise ValueError(
                f"{name} has {numbers.size} values for a population of {self.population}"
            )
        return tensor[:, None, None]

    def reset_parameters(self, seeds: Sequence[int] | None = None) -> None:
        """Draw all initial values again.

        Args:
            seeds: one seed per member; without them PyTorch's global generator is used.
        """
        streams = [partial(stream, seed, "weights", 0) for seed in seeds] if seeds else None
        self.cell.reset_parameters(streams)
        self._reset_readout(seeds)

    @torch.no_grad()
    def _reset_readout(self, seeds: Sequence[int] | None) -> None:
        if self.weight_ho.is_meta:
            return
        seeds = seeds or torch.randint(2**62, (self.population or 1,), device="cpu").tolist()
        for name, initial in (("weight", normal_over_rows), ("bias", normal(0.1))):
            tensor = getattr(self, f"{name}_ho")
            if tensor is None:
                continue
            members = tensor[None] if self.population is None else tensor
            for seed, member in zip(seeds, members, strict=True):
                draw = initial(stream(seed, "weights", "readout", name), tuple(member.shape))
                member.copy_(torch.as_tensor(draw))

    # Prediction and correction

    def forward(
        self,
        targets: Tensor,
        h_0: Tensor | State | None = None,
        causes_0: Tensor | None = None,
    ) -> Inference:
        """Predict and correct over a whole sequence; see the class for the shapes."""
        targets, batched = self._check_targets(targets)
        state = self._check_state(h_0, targets.size(-2), batched)
        causes = self._check_causes(causes_0, targets.size(-2), batched)
        cell, rates, recurrence = self.cell, self.rates, self.cell.recurrence()
        read = cell.state_names.index(cell.output_state)
        steps = []
        for target in targets.unbind(-3):
            prior = cell.step(cell.project(causes), state, recurrence)
            prediction = affine(cell.output(prior[read]), self.weight_ho, self.bias_ho)
            error = torch.where(target.isnan(), 0.0, prediction - target)
            state, causes = cell.correct(prior, state, causes, error @ self.weight_ho.mT, rates)
            steps.append((prediction, error, causes, *prior, *state))

        def shown(tensor: Tensor) -> Tensor:
            return tensor if batched else tensor.squeeze(-2)

        predictions, errors, all_causes, *states = (
            shown(torch.stack(tensors, -3)) for tensors in zip(*steps, strict=True)
        )
        names = cell.state_names
        h_n = tuple(shown(part) for part in state)
        return Inference(
            predictions,
            errors,
            dict(zip(names, states[: len(names)], strict=True)),
            dict(zip(names, states[len(names) :], strict=True)),
            all_causes if cell.causes else None,
            h_n if len(h_n) > 1 else h_n[0],
            shown(causes) if cell.causes else None,
        )

    def step(
        self,
        target: Tensor,
        h: Tensor | State | None = None,
        causes: Tensor | None = None,
    ) -> Inference:
        """Predict and correct one step.

        Args:
            target: ``([S,] B, output_size)``, or ``([S,] output_size)`` without a batch.
            h: the corrected state of the step before (its ``h_n``); 0 by default.
            causes: the corrected causes of the step before (its ``causes_n``); by default all
                equal, with a sum of 1.
        """
        time = 0 if self.population is None else 1
        found = self(target.unsqueeze(time), h, causes)
        return found._replace(
            predictions=found.predictions.squeeze(time),
            errors=found.errors.squeeze(time),
            prior={name: part.squeeze(time) for name, part in found.prior.items()},
            posterior={name: part.squeeze(time) for name, part in found.posterior.items()},
            causes=found.causes_n,
        )

    @torch.no_grad()
    def infer_causes(
        self,
        targets: Tensor,
        h_0: Tensor | State | None = None,
        causes_0: Tensor | None = None,
        presentations: int = 1,
    ) -> Tensor:
        """Find the causes of what is observed, by presenting it one or more times.

        Every presentation starts from the state h_0, and from the causes that the one before ended
        with. What was not observed is NaN in the targets. The largest cause tells which of the
        sequences, learned with one-hot causes, the targets belong to.

        Returns:
            the causes in the course of time, ``([S,] presentations * T, B, input_size)``, without
            the batch axis if the targets have none.

        Raises:
            ValueError: if the cell has no hidden causes, or there is no presentation.
        """
        if not self.cell.causes:
            raise ValueError(f"{self.cell_name} has no hidden causes to infer")
        if presentations < 1:
            raise ValueError(f"presentations must be at least 1, got {presentations}")
        course = []
        for _ in range(presentations):
            found = self(targets, h_0, causes_0)
            causes_0 = found.causes_n
            course.append(found.causes)
        return torch.cat(course, 0 if self.population is None else 1)

    # Checks

    @property
    def _leading(self) -> tuple[int, ...]:
        return () if self.population is None else (self.population,)

    def _check_targets(self, targets: Tensor) -> tuple[Tensor, bool]:
        """Return targets with a batch axis, and whether they had one."""
        dims = 3 + len(self._leading)
        if targets.dim() not in (dims - 1, dims):
            raise RuntimeError(
                f"expected targets to be {dims - 1}-D or {dims}-D, got {targets.dim()}-D"
            )
        if targets.size(-1) != self.output_size:
            raise RuntimeError(
                f"targets.size(-1) must be equal to output_size. "
                f"Expected {self.output_size}, got {targets.size(-1)}"
            )
        if self.population is not None and targets.size(0) != self.population:
            raise RuntimeError(
                f"targets.size(0) must be equal to population. "
                f"Expected {self.population}, got {targets.size(0)}"
            )
        if targets.size(len(self._leading)) == 0:
            raise RuntimeError("expected targets of at least one step")
        batched = targets.dim() == dims
        return (targets if batched else targets.unsqueeze(-2)), batched

    def _check_state(self, h_0: Tensor | State | None, batch: int, batched: bool) -> State:
        if h_0 is None:
            return self.cell.initial_state(batch)
        parts = tuple(h_0) if isinstance(h_0, (tuple, list)) else (h_0,)
        names = self.cell.state_names
        if len(parts) != len(names):
            raise RuntimeError(
                f"the state of {self.cell_name} is {', '.join(names)}: "
                f"expected {len(names)} tensors, got {len(parts)}"
            )
        return tuple(
            self._check_shape("state", part, batch, self.cell.hidden_size, batched)
            for part in parts
        )

    def _check_causes(self, causes_0: Tensor | None, batch: int, batched: bool) -> Tensor:
        number = self.cell.input_size
        if causes_0 is None:
            shape = (*self._leading, batch, number)
            return self.weight_ho.new_full(shape, 1 / max(number, 1))
        if not self.cell.causes:
            raise ValueError(f"{self.cell_name} has no hidden causes, but causes were given")
        return self._check_shape("causes", causes_0, batch, number, batched)

    def _check_shape(
        self, name: str, tensor: Tensor, batch: int, width: int, batched: bool
    ) -> Tensor:
        expected = (*self._leading, batch, width) if batched else (*self._leading, width)
        if tensor.shape != expected:
            raise RuntimeError(f"Expected {name} of size {expected}, got {tuple(tensor.shape)}")
        return tensor if batched else tensor.unsqueeze(-2)

    def extra_repr(self) -> str:
        """Return the arguments that the cell does not show itself."""
        return f"{self.cell_name!r}, output_size={self.output_size}"


@torch.no_grad()
def learn_locally(
    network: PredictiveCoding,
    targets: Tensor,
    h_0: Tensor | State | None = None,
    causes_0: Tensor | None = None,
    *,
    lr_o: float | Sequence[float],
    lr_c: float | Sequence[float],
    lr_h: float | Sequence[float],
) -> Inference:
    r"""Present targets to a PC-RNN-HC-A once, and let it learn from its own corrections.

    No error is propagated back through time: each weight learns from what is at its two ends.

    .. math::
        \Delta W_o &= -\text{lr}_o \sum_t e_t \tanh(h_t)^\top, &
        \Delta b_o &= -\text{lr}_o \sum_t e_t \\
        \Delta W_c &= -\text{lr}_c \sum_t (h_t - h^*_t)\, c_t^\top \\
        \Delta W_r &= -\text{lr}_h \sum_{t > 1} (h_t - h^*_t) \tanh(h^*_{t-1})^\top, &
        \Delta b &= -\text{lr}_h \sum_t (h_t - h^*_t)

    As in the authors' code, the cause is the one after its correction at step t, and the recurrent
    weights learn from the second step on, so that the initial state teaches them nothing. The sums
    go over the sequences of the batch too. With :math:`\alpha_x = 0` only the readout
    learns; with :math:`\alpha_h = 0` the causes stay as they were given.

    Args:
        network: a :class:`PredictiveCoding` network of PC-RNN-HC-A; changed in place.
        targets, h_0, causes_0: as for the network.
        lr_o, lr_c, lr_h: learning rates of at least 0, or one per member.

    Returns:
        what the network inferred before it learned.

    Raises:
        ValueError: if the network's cell is not a PC-RNN-HC-A, or a rate is negative.

    Source: Annabi, Pitti & Quoy 2021.
    """
    cell = network.cell
    if not isinstance(cell, PCRNNHCA):
        raise ValueError(f"the local rule is that of PC-RNN-HC-A, not of {network.cell_name}")
    rate_o, rate_c, rate_h = (
        network._per_member(name, value)
        for name, value in (("lr_o", lr_o), ("lr_c", lr_c), ("lr_h", lr_h))
    )
    found = network(targets, h_0, causes_0)
    targets, batched = network._check_targets(targets)
    time = len(network._leading)
    later = targets.size(time) - 1

    def samples(tensor: Tensor, first: int = 0, steps: int = later + 1) -> Tensor:
        """Put steps of all sequences side by side: ([S,] steps * B, width)."""
        tensor = tensor if batched else tensor.unsqueeze(-2)
        return tensor.narrow(time, first, steps).flatten(time, -2)

    prior, posterior = found.prior["h"], found.posterior["h"]
    errors, correction = samples(found.errors), prior - posterior
    corrections = samples(correction)
    before, after = torch.tanh(samples(posterior, 0, later)), samples(correction, 1, later)
    network.weight_ho.sub_(rate_o * (torch.tanh(samples(prior)).mT @ errors))
    cell.weight_ih -= rate_c * (samples(found.causes).mT @ corrections)
    cell.weight_hh -= rate_h * (before.mT @ after)
    for bias, rate, error in (
        (network.bias_ho, rate_o, errors),
        (cell.bias_ih, rate_h, corrections),
    ):
        if bias is not None:
            row(bias).sub_(rate * error.sum(-2, keepdim=True))
    return found
