"""One population, from seeds to metrics: the loop, its step, the optimiser, checkpoints."""
