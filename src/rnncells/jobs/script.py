"""A process that runs one script of the workflow, and wastes nothing at its start and its end.

A script imports this module before all others of this package. In a process that Snakemake has
started for a script, nothing is then collected as garbage while the rest is imported: what modules
define stays. And before and after the job itself, which listens to signals, Ctrl-C ends the process
without a traceback. (Elsewhere the import has no effect.)
"""

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

# It notes which process is the parent, which may die while the rest is imported.
from . import interruption as interruption

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake

if hasattr(sys.modules["__main__"], "snakemake"):
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(main: Callable[["Snakemake"], None], snakemake: "Snakemake") -> None:
    """Call ``main`` and end the process, with the exit code that it asks for.

    The interpreter would take apart everything that was imported, which can take longer than the
    script's work. What a script has written is on the disk when ``main`` returns
    (:func:`~rnncells.jobs.files.whole`); so nothing but output is left to be flushed.
    """
    # What is there stays to the end, so the collector need never look through it.
    gc.freeze()
    gc.enable()
    code = 0
    try:
        main(snakemake)
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        code = end.code
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
