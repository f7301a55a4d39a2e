"""Hyperparameter search: propose, train, and read the optimum off the surrogate.

May import ``training`` and everything below. Needs scikit-optimize.
"""
