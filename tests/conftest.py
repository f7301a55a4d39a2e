"""What several test files share."""

import pytest
import torch
from sixteen import SIXTEEN


@pytest.fixture(params=SIXTEEN)
def cell_name(request) -> str:
    """Every cell, one after the other."""
    return request.param


@pytest.fixture(autouse=True)
def fixed_seed():
    """Make every test repeatable on its own."""
    torch.manual_seed(0)
