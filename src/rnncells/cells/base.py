"""The contract of a recurrent cell: what a cell provides, and what it gets for free."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .initial import Initial

State = tuple[Tensor, ...]
Streams = Callable[[str], np.random.Generator]


class Cell(nn.Module):
    r"""One step of a recurrence, written once for a single model and for a population of models.

    A cell is its equations: it declares its tensors in ``__init__``, and it defines :meth:`step`.
    Every weight has shape ``([S,] in, out)``, every bias ``([S,] out)`` and every state
    ``([S,] B, hidden_size)``, where the leading axis S of a *population* is there only when
    ``population=S`` was given. Operations broadcast, so the equations do not mention S.

    The input enters through the *drive*, an affine map of the input that does not depend on the
    state. It is computed for all steps of a sequence at once, outside the loop over time.

    Subclasses set

    * ``state_names``: the names of the state's tensors; their number is the length of the state;
    * ``output_state``: the name of the tensor that :meth:`output` reads;
    * ``search_space``: bounds of the cell's own hyperparameters, ``{name: (low, high, scale)}``
      with scale ``"log"`` or ``"linear"``; each name is a keyword of ``__init__``;
    * ``causes``: whether the cell expects causes, constant in time, as its input when it
      generates sequences;
    * ``trainable``: False if nothing in the cell is learned by gradient descent.

    Args:
        input_size: width of the input; 0 makes the cell autonomous.
        hidden_size: number of units n.
        bias: whether the cell has biases.
        population: number S of models held side by side, or None for a single model.
        device, dtype: as for every PyTorch module.

    Raises:
        ValueError: if a size is not a positive integer (0 is allowed for ``input_size``).
    """

    state_names: tuple[str, ...] = ("h",)
    output_state: str = "h"
    search_space: dict[str, tuple[float, float, str]] = {}
    causes: bool = False
    trainable: bool = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        population: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        for name, size, least in (
            ("input_size", input_size, 0),
            ("hidden_size", hidden_size, 1),
            ("population", 1 if population is None else population, 1),
        ):
            if not isinstance(size, int) or isinstance(size, bool) or size < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {size!r}")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.population = population
        self._tensor_kind = {"device": device, "dtype": dtype or torch.get_default_dtype()}
        self._initial: dict[str, tuple[Initial, tuple[int, ...], bool]] = {}

    # What a subclass declares in __init__

    def add_weight(
        self, name: str, shape: tuple[int, ...], initial: Initial, *, learned: bool = True
    ) -> None:
        """Declare the tensor ``name`` of one member's ``shape``, and draw its initial value.

        A tensor that is not learned becomes a buffer. A first axis of length ``input_size`` in a
        name ending in ``_ih`` is the input's axis (see :meth:`reset_parameters`).
        """
        leading = () if self.population is None else (self.population,)
        value = torch.empty(leading + shape, **self._tensor_kind)
        if learned:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value)
        self._initial[name] = (initial, shape, len(shape) == 2 and name.endswith("_ih"))
        self._draw(name, self._fresh_streams(), None)

    def add_bias(self, name: str, size: int, initial: Initial, *, learned: bool = True) -> None:
        """Declare the bias ``name``; it is None if the cell was built with ``bias=False``."""
        if self.bias:
            self.add_weight(name, (size,), initial, learned=learned)
        else:
            self.register_parameter(name, None)

    def add_hyperparameter(
        self,
        name: str,
        value: float | Sequence[float] | Tensor,
        low: float = -float("inf"),
        high: float = float("inf"),
    ) -> None:
        """Keep a number, or one number per member, as an attribute that broadcasts over states.

        Raises:
            ValueError: if a value is not within [low, high], or their number is not S.
        """
        numbers = np.asarray(value, dtype=float)
        if not ((numbers >= low) & (numbers <= high)).all():
            raise ValueError(f"{name} must be within [{low:g}, {high:g}], got {value!r}")
        if numbers.ndim == 0:
            setattr(self, name, float(numbers))
            return
        if self.population is None or numbers.shape != (self.population,):
            raise ValueError(
                f"{name} has {numbers.size} values for a population of {self.population}"
            )
        tensor = torch.as_tensor(numbers, **self._tensor_kind)
        self.register_buffer(name, tensor[:, None, None], persistent=False)

    # What a subclass defines

    def drive(self, x: Tensor) -> Tensor:
        """Map inputs ``([S,] ..., B, input_size)`` to drives; :meth:`step` gets one step of them.

        The default is ``x @ weight_ih + bias_ih``.
        """
        return affine(x, self.weight_ih, self.bias_ih)

    def recurrence(self) -> Tensor | tuple[Tensor, ...]:
        """Return what :meth:`step` needs of the recurrent weights, computed once per sequence."""
        return self.weight_hh

    def step(self, drive: Tensor, state: State, recurrence) -> State:
        """Advance the state by one step.

        Args:
            drive: ``([S,] B, width)``, one step of what :meth:`drive` returned.
            state: tuple of tensors ``([S,] B, hidden_size)``, in the order of ``state_names``.
            recurrence: what :meth:`recurrence` returned.
        """
        raise NotImplementedError

    def output(self, h: Tensor) -> Tensor:
        """Map the state tensor named ``output_state`` to what a readout or the next layer sees."""
        return h

    @property
    def key_size(self) -> int:
        """Width of the key (the random vector that a sequence's initial state is made from)."""
        return self.hidden_size

    def state_from_key(self, key: Tensor) -> State:
        """Make an initial state from a key ``([S,] B, key_size)``."""
        (_,) = self.state_names
        return (key,)

    # What every cell gets for free

    def initial_state(self, batch: int) -> State:
        """Return a state of zeros for ``batch`` sequences."""
        leading = () if self.population is None else (self.population,)
        like = next(iter([*self.parameters(), *self.buffers()]))
        zero = like.new_zeros((*leading, batch, self.hidden_size))
        return (zero,) * len(self.state_names)

    def forward(self, x: Tensor, h: Tensor | State | None = None) -> Tensor | State:
        """Advance by one step, as :class:`torch.nn.GRUCell` does.

        Args:
            x: input ``([S,] B, input_size)``, or ``([S,] input_size)`` without a batch.
            h: state ``([S,] B, hidden_size)``, or a tuple of them for cells with several state
                tensors; zeros if None. Without the batch axis if ``x`` has none.

        Returns:
            The next state, in the form of ``h``.
        """
        batched = x.dim() == (2 if self.population is None else 3)
        if not batched:
            x = x.unsqueeze(-2)
        if h is None:
            state = self.initial_state(x.size(-2))
        else:
            state = tuple(h) if isinstance(h, (tuple, list)) else (h,)
            if not batched:
                state = tuple(part.unsqueeze(-2) for part in state)
        state = self.step(self.drive(x), state, self.recurrence())
        if not batched:
            state = tuple(part.squeeze(-2) for part in state)
        return state if len(state) > 1 else state[0]

    def reset_parameters(
        self,
        streams: Sequence[Streams] | None = None,
        input_sizes: Sequence[int] | None = None,
    ) -> None:
        """Draw all initial values again.

        Args:
            streams: for each member, a function from a tensor's name to its generator; without
                them the draws follow PyTorch's global generator (:func:`torch.manual_seed`).
            input_sizes: for each member, how many of the inputs it uses; weights of the others
                are set to zero, so that members with inputs of different width share a population.
        """
        streams = streams or self._fresh_streams()
        for name in self._initial:
            self._draw(name, streams, input_sizes)

    def _fresh_streams(self) -> list[Streams]:
        entropy = torch.randint(2**62, (self.population or 1, 4), device="cpu").tolist()
        return [
            lambda name, words=words: np.random.default_rng([*words, *name.encode()])
            for words in entropy
        ]

    def _draw(
        self, name: str, streams: Sequence[Streams], input_sizes: Sequence[int] | None
    ) -> None:
        tensor = getattr(self, name)
        if tensor.is_meta:
            return
        initial, shape, from_input = self._initial[name]
        with torch.no_grad():
            members = tensor[None] if self.population is None else tensor
            for k, member in enumerate(members):
                if from_input and input_sizes is not None:
                    rows = input_sizes[k]
                    member[rows:] = 0
                    member, own_shape = member[:rows], (rows, *shape[1:])
                else:
                    own_shape = shape
                member.copy_(torch.as_tensor(self._value(initial, streams[k](name), own_shape, k)))

    def _value(
        self, initial: Initial, rng: np.random.Generator, shape: tuple[int, ...], member: int
    ) -> np.ndarray:
        """Draw one member's initial value (a hook for laws that depend on hyperparameters)."""
        return initial(rng, shape)

    def extra_repr(self) -> str:
        """Return the arguments in the form of PyTorch's own modules."""
        text = f"{self.input_size}, {self.hidden_size}"
        if not self.bias:
            text += ", bias=False"
        return text if self.population is None else f"{text}, population={self.population}"


def row(vector: Tensor) -> Tensor:
    """Give a vector ``([S,] n)`` the batch axis of a state: ``([S,] 1, n)``."""
    return vector.unsqueeze(-2)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x @ weight + bias`` for x ``([S,] ..., B, in)``, weight ``([S,] in, out)``.

    All axes between S and the last are flattened into one matrix product per member.
    """
    flat = x.flatten(weight.dim() - 2, -2) @ weight
    if bias is not None:
        flat = flat + row(bias)
    return flat.reshape(*x.shape[:-1], weight.size(-1))
