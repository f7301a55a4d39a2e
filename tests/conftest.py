"""What several test files share."""

import pytest
import torch

SIXTEEN = (
    "sRNN",
    "TRNN",
    "MTRNN",
    "LSTM",
    "GRU",
    "UGRNN",
    "AntisymmetricRNN",
    "ESN",
    "BRC",
    "nBRC",
    "PC-RNN-V",
    "PC-RNN-HC-A",
    "PC-RNN-HC-M",
    "PC-RNN-GC",
    "PC-RNN-GC-HC-A",
    "PC-RNN-GC-HC-M",
)


@pytest.fixture(params=SIXTEEN)
def cell_name(request) -> str:
    """Every cell, one after the other."""
    return request.param


@pytest.fixture(autouse=True)
def fixed_seed():
    """Make every test repeatable on its own."""
    torch.manual_seed(0)
