"""An object like the one that Snakemake gives a script, for jobs within the tests' own process."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from snakemake.iocontainers import (
    InputFiles,
    Log,
    OutputFiles,
    Params,
    ResourceList,
    Snakemake,
    Wildcards,
)


@contextmanager
def logging_kept() -> Iterator[None]:
    """Undo what jobs in the block do to the logging of their process."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers, logging.raiseExceptions = handlers, raising
        root.setLevel(level)


def mock_snakemake(
    rule: str,
    outputs: Mapping[str, str],
    inputs: Mapping[str, str | list[str]] | None = None,
    params: Mapping | None = None,
    **wildcards: str,
) -> Snakemake:
    """Return the job of a rule; its log is ``logs/<rule>.log``."""
    return Snakemake(
        input_=_named(inputs or {}),
        output=OutputFiles(fromdict=dict(outputs)),
        params=Params(fromdict=dict(params or {})),
        wildcards=Wildcards(fromdict=wildcards),
        threads=1,
        resources=ResourceList(fromdict={"attempt": 1}),
        log=Log([f"logs/{rule}.log"]),
        config={},
        rulename=rule,
        bench_iteration=None,
        scriptdir=".",
    )


def _named(files: Mapping[str, str | list[str]]) -> InputFiles:
    """Return input files by name; a name may stand for several."""
    made = InputFiles()
    for name, value in files.items():
        start, several = len(made), isinstance(value, list)
        made.extend(value if several else [value])
        made._set_name(name, start, end=len(made) if several else None)
    return made
