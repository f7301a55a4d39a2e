"""What jobs leave on the disk and what is said of it: runs, tables, statistics, provenance, pages.

May import ``study`` and what is below it; of ``training`` it knows types alone, but for
``verify``, which trains a run again.
"""

from ..jobs.extras import need

need(__name__, "pandas", "pyarrow", "scipy")
