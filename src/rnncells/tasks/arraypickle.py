"""Read a pickled NumPy array; nothing else in the pickle is imported, and so nothing else runs."""

import io
import pickle

import numpy as np

#: What the pickle of an array of numbers refers to. NumPy renamed its module from core to _core.
NAMES = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler for NumPy arrays alone."""

    def find_class(self, module: str, name: str) -> object:
        """Import what the pickle of an array needs.

        Raises:
            UnpicklingError: for anything else.
        """
        module = module.replace("numpy.core.", "numpy._core.")
        if (module, name) not in NAMES:
            raise pickle.UnpicklingError(
                f"it imports {module}.{name}; only NumPy arrays are allowed"
            )
        return super().find_class(module, name)


def load_array(content: bytes) -> np.ndarray:
    """Return the array in a pickle.

    Raises:
        UnpicklingError: if it refers to anything but NumPy arrays. A damaged one can raise others.
    """
    # Python 2 wrote bytes as text, which is to be read as latin1.
    return ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()
