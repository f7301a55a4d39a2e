"""Read a pickled NumPy array without executing the pickle.

A pickle is a program for a small stack machine. An array's program needs a few of its instructions
and five names, and they are followed here; anything else is refused. Python's own machine with
fewer names would not do: six bytes can make it fill gigabytes, and a deep tuple ends its process.
"""

import re
from collections.abc import Callable
from pickle import UnpicklingError
from pickletools import genops

import numpy as np

from ..jobs.errors import shown

#: An array's program has less than a hundred instructions.
MOST_INSTRUCTIONS = 1000

NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"}
TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING"}
TEXTS |= {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()


class _Type:
    """A data type while it is put together."""

    def __init__(self, code: str, *_: object):
        if not re.fullmatch("[biufcSU][0-9]{1,4}", code):
            raise UnpicklingError(
                f"it holds the type {shown(code)}; only NumPy arrays of numbers are allowed"
            )
        self.dtype = np.dtype(code)

    def set_state(self, version: int, order: str, *_: object) -> None:
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array while it is put together."""

    def __init__(self, *_: object):
        self.data: np.ndarray | None = None

    def set_state(
        self, version: int, shape: tuple[int, ...], kind: _Type, fortran: bool, raw: bytes | str
    ) -> None:
        # Python 2 wrote bytes as text.
        content = raw.encode("latin1") if isinstance(raw, str) else raw
        self.data = _from_buffer(content, kind, shape, "F" if fortran else "C").data


def _from_buffer(raw: bytes, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    made = _Array()
    made.data = np.frombuffer(raw, kind.dtype).reshape(shape, order=order)
    return made


def _encode(text: str, encoding: str) -> bytes:
    """Protocols below 3 have no bytes; they hold text that is to be encoded."""
    if encoding != "latin1":
        raise UnpicklingError(f"it holds text in {shown(encoding)}; only latin1 is allowed")
    return text.encode(encoding)


#: The names of an array's program, and what they stand for here.
NAMES: dict[tuple[str, str], Callable | None] = {
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
}
# NumPy renamed its private module from core to _core.
for core in ("core", "_core"):
    NAMES[f"numpy.{core}.multiarray", "_reconstruct"] = _Array
    NAMES[f"numpy.{core}.numeric", "_frombuffer"] = _from_buffer


def load_array(content: bytes) -> np.ndarray:
    """Return the array that ``pickle.loads`` would.

    Raises:
        UnpicklingError: if the pickle is of something else. A damaged one can raise other errors.
    """
    stack: list = []
    memo: dict[int, object] = {}
    for count, (instruction, argument, _) in enumerate(genops(content)):
        name = instruction.name
        if count == MOST_INSTRUCTIONS:
            raise UnpicklingError("it holds more than an array; only NumPy arrays are allowed")
        if name in NUMBERS | TEXTS | BYTES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in TUPLES:
            start = len(stack) - TUPLES[name]
            stack[start:] = [tuple(stack[start:])]
        elif name == "MARK":
            stack.append(MARK)
        elif name == "TUPLE":
            start = len(stack) - 1 - stack[::-1].index(MARK)
            stack[start:] = [tuple(stack[start + 1 :])]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            parts = argument.split(" ", 1) if name == "GLOBAL" else [stack.pop(-2), stack.pop()]
            if tuple(parts) not in NAMES:
                wanted = shown(".".join(map(str, parts)))
                raise UnpicklingError(f"it imports {wanted}; only NumPy arrays are allowed")
            stack.append(NAMES[tuple(parts)])
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(stack.pop()(*arguments))
        elif name == "BUILD" and isinstance(stack[-2], _Type | _Array):
            state = stack.pop()
            stack[-1].set_state(*state)
        elif name == "STOP" and isinstance(stack[-1], _Array) and stack[-1].data is not None:
            return stack[-1].data
        elif name not in ("PROTO", "FRAME"):
            found = type(stack[-1]).__name__ if name == "STOP" else f"instruction {name.lower()}"
            raise UnpicklingError(f"it holds {found}; only NumPy arrays are allowed")
    raise UnpicklingError("it has no end")
