"""One population of models, from seeds to metrics: loop, step, optimiser, checkpoint.

May import ``study``, ``tasks``, ``layers`` and what is below them. No kernel backend is named here.
"""

from ..jobs.extras import need

need(__name__, "pydantic", "pandas")
