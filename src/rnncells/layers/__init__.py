"""Modules in the place of ``torch.nn.GRU``, and networks made of them.

May import ``kernels``, ``cells`` and ``random``. Together they are the layer library, which needs
PyTorch, NumPy, Numba and filelock alone.
"""
