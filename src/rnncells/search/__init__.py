"""Hyperparameter search: propose, train, and read the optimum off the surrogate.

May import ``training`` and everything below. Needs scikit-optimize.
"""

from ..jobs.extras import need

need(__name__, "pydantic", "pandas", "scipy", "skopt")
