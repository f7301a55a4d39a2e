"""RNN: a recurrent layer around any cell, in the place of torch.nn.GRU."""

import inspect
import numbers
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast, overload

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from ..cells import cell_class
from ..cells.base import Cell, State, check_dtype, check_size, check_type
from ..kernels.sequence import kernel_of
from ..kernels.unrolled import step_through
from ..random.streams import stream


def make_cell(name: str, input_size: int, hidden_size: int, **options: Any) -> Cell:
    """Make the cell called ``name``, to be used like :class:`torch.nn.GRUCell`.

    Args:
        name: a name of ``rnncells.cells.CELLS``, or ``"package.module:Class"``.
        input_size, hidden_size: widths; an input of width 0 makes the cell autonomous.
        options: ``bias``, ``population``, ``device``, ``dtype`` and the cell's own options.

    Raises:
        ValueError: for an unknown name or a value out of range.
        TypeError: for an option that the cell does not have, or a value of the wrong type.
    """
    made = cell_class(name)
    known = option_names(made)
    for option in options:
        if option not in known:
            raise TypeError(f"{name} has no option {option!r}; its options are {', '.join(known)}")
    return made(input_size, hidden_size, **options)


def option_names(made: type[Cell]) -> list[str]:
    """Return the names of a cell's keyword options, its own first."""
    names = []
    for constructor in (made.__init__, Cell.__init__):
        for parameter in inspect.signature(constructor).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in names:
                names.append(parameter.name)
    return names


class RNN(nn.Module):
    r"""Apply a recurrent layer, or a stack of them, to a sequence.

    Layer l computes, for every step t, the input projection :math:`d_t = W_x x_t + b` of its
    cell, and then ``state_t = cell.step(d_t, state_{t-1})``; its output is the input of
    layer l + 1.

    Args:
        cell: a name of ``rnncells.cells.CELLS``, or ``"package.module:Class"``.
        input_size: width of the input; 0 makes an autonomous network.
        hidden_size: number of units.
        num_layers: number of stacked layers.
        bias: whether the cells have biases.
        batch_first: whether the batch comes before the time in input and output.
        dropout: probability of dropping an output of every layer but the last.
        bidirectional: whether every layer also has a second cell, with weights of its own, that
            reads the sequence backwards.
        population: number S of models held side by side, which adds a leading axis S everywhere.
        device, dtype: as for every PyTorch module.
        cell_options: the cell's own options.

    Shapes, with T steps, B sequences, D directions and L layers:

    * input: ``([S,] T, B, input_size)``, ``([S,] B, T, input_size)`` with ``batch_first``, or
      ``([S,] T, input_size)`` without a batch, or a
      :class:`~torch.nn.utils.rnn.PackedSequence` of sequences of different lengths;
    * h_0 and h_n: ``([S,] D * L, B, hidden_size)``, a tuple of such tensors for a cell whose state
      has several; h_0 is 0 by default;
    * output: like the input, with ``D * hidden_size`` features: the outputs of the last layer.

    For packed sequences h_n holds each sequence's state after its own last step (its first one, for
    the backward direction), and h_0 and h_n are in the order of the sequences before packing. A
    population takes no packed sequences.

    An input that was expanded along the time axis (stride 0) is projected once.

    Raises:
        ValueError: for sizes, dropout or a cell name that make no sense, and for an input of the
            wrong number of axes or the wrong dtype.
        TypeError: for an option that the cell does not have, or a value of the wrong type.
        RuntimeError: for inputs or states of the wrong shape.
    """

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    population: int | None
    cells: Sequence[Cell]

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        population: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **cell_options: Any,
    ) -> None:
        super().__init__()
        check_size("num_layers", num_layers, 1)
        if isinstance(dropout, bool) or not (
            isinstance(dropout, numbers.Real) and 0 <= dropout <= 1
        ):
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout!r}")
        if dropout and num_layers == 1:
            warnings.warn("dropout acts between layers, and there is only one layer", stacklevel=2)
        check_type("batch_first", batch_first, bool)
        self.cell = cell
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.population = population
        directions = 2 if bidirectional else 1
        widths = [input_size] + [directions * hidden_size] * (num_layers - 1)
        make = partial(
            make_cell,
            cell,
            hidden_size=hidden_size,
            bias=bias,
            population=population,
            device=device,
            dtype=dtype,
            **cell_options,
        )
        # Layer by layer, and within a layer forwards before backwards.
        cells = nn.ModuleList(make(input_size=w) for w in widths for _ in range(directions))
        self.cells = cast(Sequence[Cell], cells)

    @property
    def mode(self) -> str:
        """The name of the cell, under the name that nn.GRU has for it."""
        return self.cell

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of every cell: layer by layer, forwards before backwards."""
        return [list(made.parameters()) for made in self.cells]

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the state's tensors."""
        return self.cells[0].state_names

    @overload
    def forward(
        self, input: Tensor, hx: Tensor | State | None = None
    ) -> tuple[Tensor, Tensor | State]: ...

    @overload
    def forward(
        self, input: PackedSequence, hx: Tensor | State | None = None
    ) -> tuple[PackedSequence, Tensor | State]: ...

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | State | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor | State]:
        """Run over a sequence; see the class for the shapes.

        Args:
            input: the sequences.
            hx: h_0.

        Returns:
            output, h_n
        """
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        batched_dims = 3 if self.population is None else 4
        batched = input.dim() == batched_dims
        if not batched and input.dim() != batched_dims - 1:
            raise ValueError(
                f"{self.cell}: Expected input to be {batched_dims - 1}D or {batched_dims}D, "
                f"got {input.dim()}D instead"
            )
        self._check_input(input)
        if not batched:
            input = input.unsqueeze(-2)
        elif self.batch_first:
            input = input.transpose(-2, -3)
        output, h_n = self._layers(input, self._states(hx, input.size(-2), batched))
        if not batched:
            output, h_n = output.squeeze(-2), tuple(part.squeeze(-2) for part in h_n)
        elif self.batch_first:
            output = output.transpose(-2, -3)
        return output, h_n if len(h_n) > 1 else h_n[0]

    def _forward_packed(
        self, input: PackedSequence, hx: Tensor | State | None
    ) -> tuple[PackedSequence, Tensor | State]:
        """Run over packed sequences, which lie in the order of their lengths, longest first."""
        data, batch_sizes, by_length, as_given = input
        if self.population is not None:
            raise RuntimeError("a population takes padded sequences, not a PackedSequence")
        if data.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {data.dim()}")
        self._check_input(data)
        rows = batch_sizes.tolist()
        if rows != sorted(rows, reverse=True) or sum(rows) != len(data):
            raise RuntimeError(
                f"batch_sizes must not increase, and add up to the {len(data)} rows of the data"
            )
        states = [reorder(state, by_length) for state in self._states(hx, rows[0], True)]
        output, h_n = self._layers(data, states, rows)
        h_n = reorder(h_n, as_given)
        packed = PackedSequence(output, batch_sizes, by_length, as_given)
        return packed, h_n if len(h_n) > 1 else h_n[0]

    def _layers(
        self, x: Tensor, states: list[State], batch_sizes: list[int] | None = None
    ) -> tuple[Tensor, State]:
        """Run all layers; arguments and results as for :func:`run`, with a state per cell."""
        last: list[State] = []
        directions = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                k = layer * directions + direction
                output, state = run(self.cells[k], x, states[k], direction == 1, batch_sizes)
                outputs.append(output)
                last.append(state)
            x = outputs[0] if directions == 1 else torch.cat(outputs, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        return x, _stack(last)

    def _check_input(self, input: Tensor) -> None:
        """Refuse an input of another device, dtype, width or population than the weights'."""
        for made in self.cells:
            made.check_device(input)
        check_dtype(input, self.cells[0].like)
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.size(-1)}"
            )
        if self.population is not None and input.size(0) != self.population:
            raise RuntimeError(
                f"input.size(0) must be equal to population. "
                f"Expected {self.population}, got {input.size(0)}"
            )

    def _states(self, h_0: Tensor | State | None, batch: int, batched: bool) -> list[State]:
        """Return the initial state of every cell, with a batch axis."""
        if h_0 is None:
            return [made.initial_state(batch) for made in self.cells]
        leading = () if self.population is None else (self.population,)
        sizes = (len(self.cells), batch) if batched else (len(self.cells),)
        parts = self.cells[0].check_state(h_0, (*leading, *sizes, self.hidden_size))
        if not batched:
            parts = tuple(part.unsqueeze(-2) for part in parts)
        return list(zip(*(part.unbind(-3) for part in parts), strict=True))

    @property
    def code_size(self) -> int:
        """Width of the latent code that :meth:`state_from_code` takes: those of all cells."""
        return sum(made.code_size for made in self.cells)

    def state_from_code(self, code: Tensor) -> Tensor | State:
        """Make h_0 from latent codes ``([S,] B, code_size)``, one vector per sequence."""
        h_0 = _stack(self.states_from_code(code))
        return h_0 if len(h_0) > 1 else h_0[0]

    def states_from_code(self, code: Tensor) -> list[State]:
        """Make the initial state of every cell, as :meth:`state_from_code`."""
        if len(self.cells) == 1:
            return [self.cells[0].state_from_code(code)]
        codes = code.split([made.code_size for made in self.cells], -1)
        return [made.state_from_code(k) for made, k in zip(self.cells, codes, strict=True)]

    def reset_parameters(
        self, seeds: Sequence[int] | None = None, input_sizes: Sequence[int] | None = None
    ) -> None:
        """Draw all initial values again.

        Args:
            seeds: one seed per member; without them PyTorch's global generator is used.
            input_sizes: for each member, how many of the inputs it uses (default: all).
        """
        directions = len(self.cells) // self.num_layers
        for k, made in enumerate(self.cells):
            streams = [partial(stream, seed, "weights", k) for seed in seeds or ()] or None
            made.reset_parameters(streams, input_sizes if k < directions else None)

    def flatten_parameters(self) -> None:
        """Do nothing: code that was written for nn.GRU may call this."""

    def extra_repr(self) -> str:
        """Return the arguments that differ from their defaults, as nn.GRU does."""
        text = f"{self.cell!r}, {self.input_size}, {self.hidden_size}"
        for name, default in (
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0.0),
            ("bidirectional", False),
            ("population", None),
        ):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text


def _stack(states: list[State]) -> State:
    """Return the states of all cells as one, with an axis for the cells."""
    if len(states) == 1:  # a view costs less than a copy
        return tuple(part.unsqueeze(-3) for part in states[0])
    return tuple(torch.stack(parts, -3) for parts in zip(*states, strict=True))


def run(
    cell: Cell,
    x: Tensor,
    state: State,
    reverse: bool = False,
    batch_sizes: list[int] | None = None,
) -> tuple[Tensor, State]:
    """Step a cell over a sequence.

    Args:
        cell: the cell.
        x: inputs ``([S,] T, B, input_size)``, or those of packed sequences, ``(sum, input_size)``.
        state: initial state, of tensors ``([S,] B, n)``.
        reverse: whether to go from the last step to the first.
        batch_sizes: for packed sequences, how many of them each step has.

    Returns:
        outputs in the order of the inputs, with n features, and the state after the last step that
        was made.

    Raises:
        RuntimeError: for a sequence of no steps.
    """
    if batch_sizes is None and x.size(-3) == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    kernel = kernel_of(cell, x, state)
    if kernel is not None:
        return _run_kernel(kernel, x, state, reverse, batch_sizes)
    projections = (
        _projections(cell, x) if batch_sizes is None else cell.project(x).split(batch_sizes)
    )
    states, state = step_through(
        cell, reversed(projections) if reverse else projections, state, cell.recurrence()
    )
    if reverse:
        states.reverse()
    h = torch.stack(states, -3) if batch_sizes is None else torch.cat(states)
    output = cell.output(h)
    # Autograd may have saved the activation's result (tanh's derivative needs it), and a caller may
    # change the output in place.
    return output if output is h else output.clone(), state


def _projections(cell: Cell, x: Tensor) -> Sequence[Tensor]:
    """Return the input projection of every step; that of a constant input is computed once."""
    if _constant(x):
        return [cell.project(x[..., :1, :, :]).squeeze(-3)] * x.size(-3)
    return cell.project(x).unbind(-3)


def _constant(x: Tensor) -> bool:
    """Return whether an input is known to be the same at all steps."""
    return x.size(-1) == 0 or (x.size(-3) > 1 and x.stride(-3) == 0)


def compact(x: Tensor) -> Tensor:
    """Return an input as kernels take it: with one step only if it is the same at all steps."""
    return x[..., :1, :, :] if _constant(x) else x


def _run_kernel(
    kernel: Callable[[Tensor, State, np.ndarray], tuple[Tensor, State]],
    x: Tensor,
    state: State,
    reverse: bool,
    batch_sizes: list[int] | None,
) -> tuple[Tensor, State]:
    """Run a kernel; arguments and results as for :func:`run`."""
    batch = state[0].size(-2)
    if batch_sizes is None:
        rows = np.full(x.size(-3), batch)
        constant, x = _constant(x), compact(x)
    else:
        constant, rows = False, np.array(batch_sizes)
        # Kernels take padded sequences, and leave the padding alone.
        real = torch.as_tensor(np.arange(batch) < rows[:, None])
        x = x.new_zeros((*real.shape, x.size(-1))).index_put((real,), x)
    if reverse:
        x, rows = x if constant else x.flip(-3), rows[::-1].copy()
    output, state = kernel(x, state, rows)
    if reverse:
        output = output.flip(-3)
    return output if batch_sizes is None else output[real], state


def reorder(state: State, order: Tensor | None) -> State:
    """Put the sequences of a batch into another order, if one is given."""
    return state if order is None else tuple(part.index_select(-2, order) for part in state)
