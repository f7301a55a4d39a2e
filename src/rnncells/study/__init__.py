"""A configuration in, a plan of jobs out.

Snakemake runs this code whenever it plans, so PyTorch is never imported here.
"""

from ..jobs.extras import need

need(__name__, "pydantic", "yaml")
