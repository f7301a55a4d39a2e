"""The names of all cells, written out so that none can be lost."""

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
