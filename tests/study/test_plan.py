"""What planning imports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_planning_imports_no_pytorch():
    """Importing it takes seconds, in every call of Snakemake."""
    program = (
        "import sys\n"
        "from rnncells.study.plan import resolve\n"
        "from rnncells.study.protocol import describe\n"
        "from rnncells.study.read import read\n"
        "for name, study in resolve(read('config/config.yaml'), 'config/published').items():\n"
        "    describe(name, study)\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
