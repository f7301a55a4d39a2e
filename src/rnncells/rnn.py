"""RNN: a recurrent layer around any cell, in the place of torch.nn.GRU."""

import inspect
import warnings
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from .cells import cell_class
from .cells.base import Cell, State
from .streams import stream


def make_cell(name: str, input_size: int, hidden_size: int, **options) -> Cell:
    """Make the cell called ``name``, to be used like :class:`torch.nn.GRUCell`.

    Args:
        name: a name of ``rnncells.cells.CELLS``, or ``"package.module:Class"``.
        input_size, hidden_size: widths; an input of width 0 makes the cell autonomous.
        options: ``bias``, ``population``, ``device``, ``dtype`` and the cell's own options.

    Raises:
        ValueError: for an unknown name or a value out of range.
        TypeError: for an option that the cell does not have.
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

    Layer l computes, for every step t, the drive :math:`d_t = W_x x_t + b` of its cell and then
    ``state_t = cell.step(d_t, state_{t-1})``; its output is the input of layer l + 1.

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
      ``([S,] T, input_size)`` without a batch;
    * h_0 and h_n: ``([S,] D * L, B, hidden_size)``, a tuple of such tensors for a cell whose state
      has several; h_0 is 0 by default;
    * output: like the input, with ``D * hidden_size`` features: the outputs of the last layer.

    An input that was expanded along the time axis (stride 0) is projected once.

    Raises:
        ValueError: for sizes, dropout or a cell name that make no sense.
        TypeError: for an option that the cell does not have.
        RuntimeError: for inputs or states of the wrong shape.
    """

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
        **cell_options,
    ):
        super().__init__()
        if not isinstance(num_layers, int) or isinstance(num_layers, bool) or num_layers < 1:
            raise ValueError(f"num_layers must be an integer of at least 1, got {num_layers!r}")
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be a probability within [0, 1], got {dropout!r}")
        if dropout and num_layers == 1:
            warnings.warn("dropout acts between layers, and there is only one layer", stacklevel=2)
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
        self.cells = nn.ModuleList(make(input_size=w) for w in widths for _ in range(directions))

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of the state's tensors."""
        return self.cells[0].state_names

    def forward(self, input: Tensor, h_0: Tensor | State | None = None):
        """Run over a sequence; see the class for the shapes.

        Returns:
            output, h_n
        """
        batched_dims = 3 if self.population is None else 4
        batched = input.dim() == batched_dims
        if not batched and input.dim() != batched_dims - 1:
            raise RuntimeError(
                f"RNN: expected input to be {batched_dims - 1}-D or {batched_dims}-D, "
                f"got {input.dim()}-D"
            )
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
        if not batched:
            input = input.unsqueeze(-2)
        elif self.batch_first:
            input = input.transpose(-2, -3)
        states = self._states(h_0, input.size(-2), batched)

        last: list[State] = []
        x = input
        per_layer = len(self.cells) // self.num_layers
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(per_layer):
                k = layer * per_layer + direction
                output, state = run(self.cells[k], x, states[k], reverse=direction == 1)
                outputs.append(output)
                last.append(state)
            x = outputs[0] if per_layer == 1 else torch.cat(outputs, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)

        if not batched:
            x = x.squeeze(-2)
        elif self.batch_first:
            x = x.transpose(-2, -3)
        h_n = tuple(torch.stack(parts, -3) for parts in zip(*last, strict=True))
        if not batched:
            h_n = tuple(part.squeeze(-2) for part in h_n)
        return x, h_n if len(h_n) > 1 else h_n[0]

    def _states(self, h_0: Tensor | State | None, batch: int, batched: bool) -> list[State]:
        """Return the initial state of every cell."""
        if h_0 is None:
            return [made.initial_state(batch) for made in self.cells]
        parts = tuple(h_0) if isinstance(h_0, (tuple, list)) else (h_0,)
        if len(parts) != len(self.state_names):
            raise RuntimeError(
                f"the state of {self.cell} is {', '.join(self.state_names)}: "
                f"expected {len(self.state_names)} tensors, got {len(parts)}"
            )
        if not batched:
            parts = tuple(part.unsqueeze(-2) for part in parts)
        leading = () if self.population is None else (self.population,)
        expected = (*leading, len(self.cells), batch, self.hidden_size)
        for part in parts:
            if part.shape != expected:
                shown = expected if batched else (*expected[:-2], expected[-1])
                got = part.shape if batched else part.squeeze(-2).shape
                raise RuntimeError(f"Expected hidden size {tuple(shown)}, got {tuple(got)}")
        return list(zip(*(part.unbind(-3) for part in parts), strict=True))

    @property
    def key_size(self) -> int:
        """Width of the key that :meth:`state_from_key` takes: the keys of all cells."""
        return sum(made.key_size for made in self.cells)

    def state_from_key(self, key: Tensor) -> Tensor | State:
        """Make h_0 from keys ``([S,] B, key_size)``, one random vector per sequence."""
        keys = key.split([made.key_size for made in self.cells], -1)
        states = [made.state_from_key(k) for made, k in zip(self.cells, keys, strict=True)]
        h_0 = tuple(torch.stack(parts, -3) for parts in zip(*states, strict=True))
        return h_0 if len(h_0) > 1 else h_0[0]

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
            streams = seeds and [partial(stream, seed, "weights", k) for seed in seeds]
            made.reset_parameters(streams, input_sizes if k < directions else None)

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


def run(cell: Cell, x: Tensor, state: State, reverse: bool = False) -> tuple[Tensor, State]:
    """Step a cell over a sequence.

    Args:
        cell: the cell.
        x: inputs ``([S,] T, B, input_size)``.
        state: initial state, of tensors ``([S,] B, n)``.
        reverse: whether to go from the last step to the first.

    Returns:
        outputs ``([S,] T, B, n)`` in the order of the inputs, and the state after the last step
        that was made.
    """
    steps = x.size(-3)
    constant = x.size(-1) == 0 or (steps > 1 and x.stride(-3) == 0)
    if constant:
        drives = [cell.drive(x[..., :1, :, :]).squeeze(-3)] * steps
    else:
        drives = list(cell.drive(x).unbind(-3))
    recurrence = cell.recurrence()
    read = cell.state_names.index(cell.output_state)
    states = []
    for drive in reversed(drives) if reverse else drives:
        state = cell.step(drive, state, recurrence)
        states.append(state[read])
    if reverse:
        states.reverse()
    return cell.output(torch.stack(states, -3)), state
