"""Loops over time: one driver per shape of recurrence."""
