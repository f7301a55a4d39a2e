"""A package of the pipeline without what it needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("study.plan", "pydantic"),
        ("tasks.base", "pandas"),
        ("training.loop", "pandas"),
        ("search.loop", "skopt"),
        ("results.tables", "pyarrow"),
        ("figures.capacity", "matplotlib"),
    ],
)
def test_what_is_missing_is_said_in_one_line(package, module):
    code = f"""
import sys
sys.modules[{module!r}] = None
try:
    import rnncells.{package}
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert f"needs {module}: pip install 'rnncells[pipeline]'" in line
