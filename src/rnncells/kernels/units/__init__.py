"""What each cell adds to the kernels: one file per file of ``rnncells.cells``, of the same name.

The equations there remain the specification; here they are written in numbers, with derivatives.
"""
