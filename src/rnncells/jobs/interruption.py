"""Signals that ask a job to end: it ends at once, or after the step that it is making.

A batch system sends SIGTERM before it kills, Ctrl-C is SIGINT, a terminal that is closed sends
SIGHUP, and SIGUSR1 says that the time limit is near. All of them become the exception
:class:`Interrupted`, so that temporary files are removed on the way out. Training defers it to the
end of a step, where it can write a checkpoint first.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)

#: The process that started this one, which may die before anything listens for that.
_parent = os.getppid()
_asked: int | None = None
_deferring = False


class Interrupted(BaseException):
    """A signal asks the process to end.

    Like KeyboardInterrupt it is no Exception: code that handles failures lets it pass.

    Attributes:
        signal: which one.
    """

    def __init__(self, number: int):
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


@contextmanager
def listening() -> Iterator[None]:
    """Let the signals raise :class:`Interrupted` inside the block (in the main thread).

    On Linux the death of the parent process counts as SIGTERM: a job whose Snakemake was killed
    would otherwise compute on, beside the one that the next Snakemake starts.
    """
    global _asked
    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in SIGNALS if not (nohup and number == signal.SIGHUP)]
    before = {number: signal.signal(number, _handle) for number in heard}
    _signal_when_parent_dies(signal.SIGTERM)
    try:
        yield
    finally:
        _signal_when_parent_dies(0)
        for number, handler in before.items():
            signal.signal(number, handler)
        _asked = None


def _signal_when_parent_dies(number: int) -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, number)
        if number and os.getppid() != _parent:  # it died before it could be said
            os.kill(os.getpid(), number)


def _handle(number: int, frame: object) -> None:
    global _asked
    if _asked is not None:
        return  # a second Ctrl-C, say: the end is under way, and is not to be interrupted
    _asked = number
    if not _deferring:
        raise Interrupted(number)


@contextmanager
def deferred() -> Iterator[None]:
    """Let signals wait until the block calls :func:`end_if_asked`, or is left."""
    global _deferring
    _deferring = True
    try:
        yield
    finally:
        _deferring = False
    end_if_asked()


def asked_to_end() -> bool:
    """Tell whether a signal is waiting."""
    return _asked is not None


def end_if_asked() -> None:
    """Raise :class:`Interrupted` if a signal is waiting."""
    if _asked is not None:
        raise Interrupted(_asked)
