"""Arguments of kernels: one table with address and shape of every tensor.

Numba unboxes an array argument in about two microseconds, and a kernel has two dozen of them.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array
from torch import Tensor


def table_of(tensors: list[Tensor], products: tuple[int, int]) -> np.ndarray:
    """Return a row (address, elements, columns) per tensor, and one with the products' addresses.

    Kernels see the last axis as columns, and all others as rows.

    Args:
        tensors: contiguous; they must live as long as the table is used.
        products: what :func:`rnncells.kernels.numba.product.addresses` returned.
    """
    rows = [(t.data_ptr(), t.numel(), t.size(-1)) for t in tensors]
    return np.array([*rows, (*products, 0)])


@intrinsic(prefer_literal=True)
def arrays(typing: Any, count: Any, table: Any, like: Any) -> Any:
    """Return the first ``count`` arrays of a table, as a tuple; without columns they have no rows.

    ``count`` must be a literal; the dtype is that of ``like``, an array.
    """
    kind = types.Array(like.dtype, 2, "C")
    result = types.UniTuple(kind, count.literal_value)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers = context.make_array(table)(context, builder, arguments[1]).data
        size = context.get_constant(types.intp, like.dtype.bitwidth // 8)
        one = context.get_constant(types.intp, 1)
        found = []
        for k in range(count.literal_value):
            address, elements, columns = (
                builder.load(cgutils.gep_inbounds(builder, numbers, 3 * k + column))
                for column in range(3)
            )
            least = builder.select(builder.icmp_signed(">", columns, one), columns, one)
            rows = builder.sdiv(elements, least)
            array = make_array(kind)(context, builder)
            populate_array(
                array,
                data=builder.inttoptr(address, array.data.type),
                shape=(rows, columns),
                strides=(builder.mul(columns, size), size),
                itemsize=size,
                meminfo=None,
            )
            found.append(array._getvalue())
        return context.make_tuple(builder, result, found)

    return result(count, table, like), code
