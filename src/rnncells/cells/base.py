"""The contract of a recurrent cell: what a cell provides, and what it gets for free."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .initial import Initializer

State = tuple[Tensor, ...]
Streams = Callable[[str], np.random.Generator]
Hyperparameter = float | Sequence[float] | Tensor


class Cell(nn.Module):
    r"""One step of a recurrence, written once for a single model and for a population of models.

    A cell is its equations: it declares its tensors in ``__init__``, and it defines :meth:`step`.
    Every weight has shape ``([S,] in, out)``, every bias ``([S,] out)`` and every state
    ``([S,] B, hidden_size)``, where the leading axis S of a *population* is there only when
    ``population=S`` was given. Operations broadcast, so the equations do not mention S.

    The *input projection* is an affine map of the input that does not depend on the state. It is
    computed for all steps of a sequence at once, outside the loop over time.

    Subclasses set

    * ``state_names``: the names of the state's tensors; their number is the length of the state;
    * ``output_state``: the name of the tensor that :meth:`output` reads;
    * ``search_space``: bounds of the cell's own hyperparameters, ``{name: (low, high, scale)}``
      with scale ``"log"``, ``"linear"`` or ``"integer"``; each name is a keyword of ``__init__``;
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
        TypeError: if a size is not an integer, or ``bias`` not a bool.
        ValueError: if a size is not positive (0 is allowed for ``input_size``).
    """

    state_names: tuple[str, ...] = ("h",)
    output_state: str = "h"
    search_space: dict[str, tuple[float, float, str]] = {}
    causes: bool = False
    trainable: bool = True

    input_size: int
    hidden_size: int
    bias: bool
    population: int | None
    # What :meth:`project` and :meth:`recurrence` use unless a subclass defines its own.
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        population: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_size("input_size", input_size, 0)
        check_size("hidden_size", hidden_size, 1)
        if population is not None:
            check_size("population", population, 1)
        check_type("bias", bias, bool)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.population = population
        self._tensor_kind: dict[str, Any] = {
            "device": device,
            "dtype": dtype or torch.get_default_dtype(),
        }
        self._initial: dict[str, tuple[Initializer, tuple[int, ...], bool]] = {}

    # What a subclass declares in __init__

    def add_weight(
        self, name: str, shape: tuple[int, ...], initial: Initializer, *, learned: bool = True
    ) -> None:
        """Declare the tensor ``name``, and draw its initial value.

        Args:
            name: its name. If it ends in ``_ih``, the first of two axes is the input's (see
                :meth:`reset_parameters`).
            shape: of one member, without the population axis.
            initial: its initializer.
            learned: whether it is a parameter; otherwise it is a buffer.
        """
        leading = () if self.population is None else (self.population,)
        value = torch.empty(leading + shape, **self._tensor_kind)
        if learned:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value)
        self._initial[name] = (initial, shape, len(shape) == 2 and name.endswith("_ih"))
        self._draw(name, None, None)

    def add_bias(self, name: str, size: int, initial: Initializer, *, learned: bool = True) -> None:
        """Declare the bias ``name``; it is None if the cell was built with ``bias=False``."""
        if self.bias:
            self.add_weight(name, (size,), initial, learned=learned)
        else:
            self.register_parameter(name, None)

    def add_hyperparameter(
        self,
        name: str,
        value: Hyperparameter,
        low: float = -float("inf"),
        high: float = float("inf"),
    ) -> None:
        """Keep a number, or one number per member, as an attribute that broadcasts over states.

        Raises:
            ValueError: if a value is not within [low, high], or their number is not S.
        """
        numbers = self.check_range(name, value, low, high)
        if numbers.ndim == 0:
            setattr(self, name, float(numbers))
            return
        if self.population is None or numbers.shape != (self.population,):
            raise ValueError(
                f"{name} has {numbers.size} values for a population of {self.population}"
            )
        tensor = torch.as_tensor(numbers, **self._tensor_kind)
        self.register_buffer(name, tensor[:, None, None], persistent=False)

    @staticmethod
    def check_range(
        name: str,
        value: Hyperparameter,
        low: float = -float("inf"),
        high: float = float("inf"),
    ) -> np.ndarray:
        """Return a number, or numbers, as an array.

        Limits that are written as literals (``low=1.0``) hold for a configuration too: what is
        outside them is refused before anything runs.

        Raises:
            ValueError: if a value is not finite, or not within [low, high].
        """
        numbers = np.asarray(value, dtype=float)
        if not (np.isfinite(numbers) & (numbers >= low) & (numbers <= high)).all():
            raise ValueError(f"{name} must be within [{low:g}, {high:g}], got {value!r}")
        return numbers

    # What a subclass defines

    def project(self, x: Tensor) -> Tensor:
        """Map inputs ``([S,] ..., B, input_size)`` to what :meth:`step` adds or gates.

        The default is ``x @ weight + bias`` with what :meth:`projection` returns.
        """
        return affine(x, *self.projection())

    def projection(self) -> tuple[Tensor, Tensor | None]:
        """Return the weight ``([S,] input_size, width)`` and bias ``([S,] width)`` of the input."""
        return self.weight_ih, self.bias_ih

    def recurrence(self) -> Tensor | tuple[Tensor, ...]:
        """Return what :meth:`step` needs of the recurrent weights, computed once per sequence."""
        return self.weight_hh

    def step(self, projected: Tensor, state: State, recurrence: Any) -> State:
        """Advance the state by one step.

        Args:
            projected: ``([S,] B, width)``, one step of what :meth:`project` returned.
            state: tuple of tensors ``([S,] B, hidden_size)``, in the order of ``state_names``.
            recurrence: what :meth:`recurrence` returned.
        """
        raise NotImplementedError

    def output(self, h: Tensor) -> Tensor:
        """Map the state tensor named ``output_state`` to what a readout or the next layer sees."""
        return h

    @property
    def code_size(self) -> int:
        """Width of the latent code that a sequence's initial state is made from."""
        return self.hidden_size

    def state_from_code(self, code: Tensor) -> State:
        """Make an initial state from a latent code ``([S,] B, code_size)``."""
        (_,) = self.state_names
        return (code,)

    # What every cell gets for free

    @property
    def like(self) -> Tensor:
        """One of the cell's tensors, whose device and dtype its states share."""
        # The declared ones come first: a replica (nn.DataParallel) lists no parameters.
        declared = (getattr(self, name) for name in self._initial)
        for tensor in chain(declared, self.parameters(), self.buffers()):
            return tensor
        return torch.empty(0, **self._tensor_kind)

    def initial_state(self, batch: int) -> State:
        """Return a state of zeros for ``batch`` sequences."""
        leading = () if self.population is None else (self.population,)
        zero = self.like.new_zeros((*leading, batch, self.hidden_size))
        return (zero,) * len(self.state_names)

    def check_device(self, input: Tensor) -> None:
        """Check that an input is on the device of the cell's tensors, as nn.GRU does.

        PyTorch's operations do not always check: ``x @ weight`` returns arbitrary numbers for a
        weight on the meta device.

        Raises:
            RuntimeError: if it is on another device.
        """
        for tensor in chain(self._parameters.values(), self._buffers.values()):
            if tensor is not None and tensor.dim() and tensor.device != input.device:
                raise RuntimeError(
                    "Input and parameter tensors are not at the same device, found input tensor "
                    f"at {input.device} and parameter tensor at {tensor.device}"
                )

    def check_state(self, state: Tensor | State, shape: tuple[int, ...]) -> State:
        """Return a state as a tuple of tensors.

        Raises:
            RuntimeError: unless it has as many tensors as the cell needs, each of ``shape`` and of
                the cell's dtype.
        """
        parts = tuple(state) if isinstance(state, (tuple, list)) else (state,)
        if len(parts) != len(self.state_names):
            raise RuntimeError(
                f"the state of {type(self).__name__} is {', '.join(self.state_names)}: "
                f"expected {len(self.state_names)} tensors, got {len(parts)}"
            )
        for k, part in enumerate(parts):
            hidden = "hidden" if len(parts) == 1 else f"hidden[{k}]"
            if part.dim() != len(shape):
                raise RuntimeError(
                    f"For this input hx should also be {len(shape)}-D but got {part.dim()}-D tensor"
                )
            if part.shape != shape:
                raise RuntimeError(f"Expected {hidden} size {shape}, got {tuple(part.shape)}")
            if part.dtype != self.like.dtype and not autocasts(part):
                raise RuntimeError(
                    "Input and hidden tensors are not the same dtype, found input tensor with "
                    f"{self.like.dtype} and {hidden} tensor with {part.dtype}"
                )
        return parts

    def forward(self, input: Tensor, hx: Tensor | State | None = None) -> Tensor | State:
        """Advance by one step, as :class:`torch.nn.GRUCell` does.

        Args:
            input: x, ``([S,] B, input_size)``, or ``([S,] input_size)`` without a batch.
            hx: state ``([S,] B, hidden_size)``, or a tuple of them for cells with several state
                tensors; zeros if None. Without the batch axis if the input has none.

        Returns:
            The next state, in the form of ``hx``.

        Raises:
            ValueError: for an input of the wrong number of axes or the wrong dtype.
            RuntimeError: for an input or a state of the wrong shape.
        """
        leading = () if self.population is None else (self.population,)
        dims = len(leading) + 2
        batched = input.dim() == dims
        if not batched and input.dim() != dims - 1:
            raise ValueError(
                f"{type(self).__name__}: Expected input to be {dims - 1}D or {dims}D, "
                f"got {input.dim()}D instead"
            )
        self.check_device(input)
        check_dtype(input, self.like)
        sizes = (*leading, *input.shape[len(leading) : -1])
        if input.shape != (*sizes, self.input_size):
            expected = (*sizes, self.input_size)
            raise RuntimeError(f"Expected input size {expected}, got {tuple(input.shape)}")
        if not batched:
            input = input.unsqueeze(-2)
        if hx is None:
            state = self.initial_state(input.size(-2))
        else:
            state = self.check_state(hx, (*sizes, self.hidden_size))
            if not batched:
                state = tuple(part.unsqueeze(-2) for part in state)
        state = self.step(self.project(input), state, self.recurrence())
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
        names = [name for name in self._initial if _has_numbers(getattr(self, name))]
        if names:
            streams = streams or self._fresh_streams()
        for name in names:
            self._draw(name, streams, input_sizes)

    def _fresh_streams(self) -> list[Streams]:
        entropy = torch.randint(2**62, (self.population or 1, 4), device="cpu").tolist()
        return [partial(_generator, words) for words in entropy]

    def _draw(
        self, name: str, streams: Sequence[Streams] | None, input_sizes: Sequence[int] | None
    ) -> None:
        tensor = getattr(self, name)
        if not _has_numbers(tensor):
            return
        streams = streams or self._fresh_streams()
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
        self, initial: Initializer, rng: np.random.Generator, shape: tuple[int, ...], member: int
    ) -> np.ndarray:
        """Draw one member's initial value (a hook for those that depend on hyperparameters)."""
        return initial(rng, shape)

    def extra_repr(self) -> str:
        """Return the arguments in the form of PyTorch's own modules."""
        text = f"{self.input_size}, {self.hidden_size}"
        if not self.bias:
            text += ", bias=False"
        return text if self.population is None else f"{text}, population={self.population}"


def _has_numbers(tensor: Tensor) -> bool:
    """Return whether a tensor has values; one on the meta device, or a fake tensor, has none."""
    return tensor.untyped_storage().device.type != "meta"


def _generator(words: list[int], name: str) -> np.random.Generator:
    return np.random.default_rng([*words, *name.encode()])


def check_type(name: str, value: object, kind: type) -> None:
    """Check the type of an argument, as nn.GRU does.

    Raises:
        TypeError: if it is of another type.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")


def check_size(name: str, size: int, least: int) -> None:
    """Check a size.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below ``least``.
    """
    check_type(name, size, int)
    if isinstance(size, bool) or size < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {size!r}")


def check_dtype(input: Tensor, weight: Tensor) -> None:
    """Check that an input has the dtype of the weights, as nn.GRU does; autocast is excepted.

    Raises:
        ValueError: if it has another one.
    """
    if input.dtype != weight.dtype and not autocasts(input):
        raise ValueError(
            f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
            f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
        )


def autocasts(tensor: Tensor) -> bool:
    """Return whether autocast is enabled for the device of ``tensor``."""
    device = tensor.device.type
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def row(vector: Tensor) -> Tensor:
    """Give a vector ``([S,] n)`` the batch axis of a state: ``([S,] 1, n)``."""
    return vector.unsqueeze(-2)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x @ weight + bias`` for x ``([S,] ..., B, in)``, weight ``([S,] in, out)``.

    All axes between S and the last are flattened into one matrix product per member.
    """
    flat = x.flatten(weight.dim() - 2, -2)
    if bias is None:
        out = flat @ weight
    elif autocasts(x):
        out = flat @ weight + row(bias)  # in the precision of the bias
    else:
        # One operation, because a second pass over a long sequence would cost as much as a product
        # with a narrow input.
        multiply_add = torch.addmm if weight.dim() == 2 else torch.baddbmm
        out = multiply_add(row(bias), flat, weight)
    return out.reshape(*x.shape[:-1], weight.size(-1))


def leak(h: Tensor, target: Tensor, tau: float | Tensor) -> Tensor:
    r"""Return :math:`(1 - 1/\tau)\, h + \frac{1}{\tau}\, \text{target}`."""
    rate = 1 / tau
    return (1 - rate) * h + rate * target
