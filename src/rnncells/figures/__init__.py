"""Figures: tables in, one matplotlib figure out; one file per figure, with a function ``draw``.

The names of its parameters say which tables of a study it reads, and its docstring is its caption
in the report; both are read from the source (:mod:`rnncells.study.figures`). What the figures share
is in ``style``. May import ``results`` and everything below. Nothing imports this package but the
workflow.
"""

from ..jobs.extras import need

need(__name__, "pandas", "matplotlib")
