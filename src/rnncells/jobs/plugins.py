"""Classes of a user's own, named in a configuration as ``package.module:Class``."""

import importlib
import re
import sys
from pathlib import Path

from .errors import shown

#: Such a name becomes part of file names, so it is short and plain.
CLASS_NAME = re.compile(r"(?=.{3,120}$)[a-z_]\w*(\.[a-z_]\w*)*:[a-z_]\w*", re.ASCII | re.IGNORECASE)


def check_class_name(name: str) -> None:
    """Refuse what is not written as ``package.module:Class``.

    Raises:
        ValueError: the message is one line.
    """
    if not CLASS_NAME.fullmatch(name):
        raise ValueError(
            f"{shown(name)} is not a name of a class; allowed: package.module:Class, with letters, "
            "digits and _, and at most 120 characters"
        )


def load_class(name: str, base: type) -> type:
    """Return the class ``package.module:Class``; its module may lie in the working directory.

    Args:
        name: the class.
        base: what it has to be derived from.

    Raises:
        ValueError: if it cannot be imported, or is something else; the message is one line.
    """
    kind = base.__name__.lower()
    module, _, class_name = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), class_name)
    except (Exception, SystemExit) as error:  # a user's module may do anything
        reason = " ".join(str(error).split())
        raise ValueError(
            f"cannot load the {kind} {name!r}: {type(error).__name__}: {reason}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(
            f"{name!r} is no {kind}; expected a class that is derived from "
            f"{base.__module__}.{base.__name__}"
        )
    return found
