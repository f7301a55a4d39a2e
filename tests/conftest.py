"""What several test files share."""

import signal

import pytest
import torch
from hypothesis import HealthCheck, settings

from .sixteen import SIXTEEN

# A shell lets what it starts in the background ignore Ctrl-C, which every process below inherits.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The property-based tests draw the same examples in every run.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    # Each example writes its own file into the test's folder.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("repeatable")


@pytest.fixture(params=SIXTEEN)
def cell_name(request) -> str:
    """Every cell, one after the other."""
    return request.param


@pytest.fixture(autouse=True)
def fixed_seed():
    """Make every test repeatable on its own."""
    torch.manual_seed(0)
