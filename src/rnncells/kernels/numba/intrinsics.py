"""Intrinsics of Numba's that are the same ones in every process."""

from collections.abc import Callable
from typing import Any

from numba import extending


def intrinsic(
    definition: Callable[..., Any] | None = None, *, prefer_literal: bool = False
) -> Callable[..., Any]:
    """Declare an intrinsic; see :func:`numba.extending.intrinsic`.

    Numba finds a compiled function again by what is in its closure. An intrinsic there counts by an
    identifier, which by default is drawn anew in every process: nothing would ever be found.
    """
    if definition is None:
        return lambda definition: intrinsic(definition, prefer_literal=prefer_literal)
    made = extending.intrinsic(prefer_literal=prefer_literal)(definition)
    made._set_uuid(f"{definition.__module__}.{definition.__qualname__}")
    return made
