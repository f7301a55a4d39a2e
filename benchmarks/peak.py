"""The processor's peak: multiply-adds that need nothing but registers."""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from rnncells.kernels.numba.processor import VECTORS

from .timing import Work

#: Independent sums: more than a processor has multiply-adds under way, fewer than its registers.
SUMS = 12
#: Multiply-adds of each sum in one work.
TIMES = 200_000
#: float32 numbers in a vector.
LANES = VECTORS.bytes // 4


@intrinsic
def _multiply_adds(typing, times, numbers):
    """Multiply each of ``SUMS`` vectors by itself and add it, ``times`` times; return the total."""

    def code(context, builder, signature, arguments):
        times_, numbers_ = arguments
        data = context.make_array(numbers)(context, builder, numbers_).data
        vector = ir.VectorType(ir.FloatType(), LANES)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32"
        )
        sums = [cgutils.alloca_once(builder, vector) for _ in range(SUMS)]
        starts = []
        for k, total in enumerate(sums):
            at = builder.gep(data, [ir.Constant(ir.IntType(64), k * LANES)])
            starts.append(builder.load(builder.bitcast(at, vector.as_pointer()), align=4))
            builder.store(starts[-1], total)
        with cgutils.for_range(builder, times_):
            for total in sums:
                before = builder.load(total)
                builder.store(builder.call(function, [before, starts[0], starts[0]]), total)
        everything = starts[0]
        for total in sums:
            everything = builder.fadd(everything, builder.load(total))
        return builder.extract_element(everything, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.intp, numbers), code


@njit
def _run(times, numbers):
    return _multiply_adds(times, numbers)


def work() -> tuple[Work, float]:
    """Return a work of float32 multiply-adds alone, and how many operations it is."""
    numbers = np.linspace(0, 0.5, SUMS * LANES, dtype=np.float32)
    return lambda: _run(TIMES, numbers), 2.0 * TIMES * SUMS * LANES
