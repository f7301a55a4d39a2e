"""A training step as a CUDA graph: its kernels are recorded once and then launched together.

A recurrent network's step is thousands of small kernels, and launching them one by one takes longer
than running them.
"""

from collections import Counter
from collections.abc import Callable

import torch

from ..tasks.base import Batch

#: Calls with each shape of batch that run eagerly, so that libraries initialise before the capture.
WARM_UP = 3


class CUDAGraph:
    """Call a function of a batch on a GPU; once warm, by replaying a captured graph of its kernels.

    Every call does the function's work once, captured or not. There is one graph for each shape of
    batch; all share a memory pool, because only one runs at a time.

    A replay launches the same kernels at the same addresses, without Python. So the function must

    * read, besides the batch, tensors that stay in place, and write its results into such tensors;
    * not synchronise with the device (``item()``, ``cpu()``, ``if tensor``), nor copy to it.

    Args:
        function: the function. Its return value is ignored.
    """

    def __init__(self, function: Callable[[Batch], None]):
        self.function = function
        self.calls: Counter[tuple] = Counter()
        self.graphs: dict[tuple, tuple[torch.cuda.CUDAGraph, Batch]] = {}
        self.stream = torch.cuda.Stream()
        self.memory = torch.cuda.graph_pool_handle()

    def __call__(self, batch: Batch) -> None:
        """Do the function's work on the batch."""
        shapes = batch.x.shape, batch.target.shape
        if shapes in self.graphs:
            graph, recorded = self.graphs[shapes]
            if batch is not recorded:
                recorded.x.copy_(batch.x)
                recorded.target.copy_(batch.target)
            graph.replay()
            return
        # Autograd runs the backward pass on the stream of the forward pass, and the default stream
        # cannot be captured. So the warm-up runs on the stream of the capture.
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self.function(batch)
        torch.cuda.current_stream().wait_stream(self.stream)
        self.calls[shapes] += 1
        if self.calls[shapes] == WARM_UP:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self.memory, stream=self.stream):
                self.function(batch)
            self.graphs[shapes] = graph, batch
