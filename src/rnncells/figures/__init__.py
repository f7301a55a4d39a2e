"""Figures: tables in, one matplotlib figure out; one file per figure.

May import ``results`` and everything below. Nothing imports this package but the workflow.
"""
