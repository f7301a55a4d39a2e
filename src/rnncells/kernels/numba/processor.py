"""The processor's vectors, as the compiler will use them."""

from typing import NamedTuple

from numba.core.registry import cpu_target


class Vectors(NamedTuple):
    """Bytes of a vector, and how many vectors fit into the processor's registers."""

    bytes: int
    registers: int


def target() -> tuple[str, str, str]:
    """Return what Numba compiles for: the platform, the processor and its features.

    ``NUMBA_CPU_NAME`` and ``NUMBA_CPU_FEATURES`` take the place of what LLVM finds.
    """
    return cpu_target.target_context.codegen().magic_tuple()


def vectors_of(platform: str, features: str) -> Vectors:
    """Return the vectors of a processor.

    Args:
        platform: LLVM's triple, such as ``x86_64-unknown-linux-gnu``.
        features: LLVM's names, separated by commas, each with a ``+`` or, if it is not there, a
            ``-``.
    """
    there = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    if not platform.startswith(("x86", "i386", "i686")):
        return Vectors(16, 32)  # NEON
    if {"avx512f", "avx512dq", "avx512vl"} <= there:
        return Vectors(64, 32)
    return Vectors(32 if "avx" in there else 16, 16)


_platform, _, _features = target()
VECTORS = vectors_of(_platform, _features)
