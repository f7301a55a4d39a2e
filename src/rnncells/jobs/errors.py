"""Error messages for the user: short, and on one line."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake in what the user supplied; the message is one line, and no traceback is wanted."""


def shown(value: object) -> str:
    """Return the ``repr`` of a value, in 80 characters at most."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def one_line(error: Exception) -> str:
    """Return an error's message in 200 printable characters at most."""
    text = " ".join(str(error).split())
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 200 else f"{text[:197]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question with the known name nearest to a misspelt one; nothing if none is near."""
    by_case = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), by_case, 1)
    return f" (did you mean {by_case[close[0]]!r}?)" if close else ""
