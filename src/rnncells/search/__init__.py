"""Hyperparameter search: ask, tell, and read the optimum off the surrogate."""
