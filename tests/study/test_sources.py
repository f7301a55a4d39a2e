"""Which source a result depends on, and which edits change its fingerprint."""

import json
import shutil

import pytest

from rnncells.study import sources
from rnncells.study.sources import (
    PACKAGE,
    cell_modules,
    depends_on,
    fingerprint_that_holds,
    source_fingerprint,
)


def names(*modules, device=None):
    """Return the files that modules depend on, from the package's folder."""
    return {str(file.relative_to(PACKAGE)) for file in depends_on(*modules, device=device)}


def test_results_depend_on_the_files_that_they_import():
    assert names("rnncells.cells.esn") == {f"cells/{x}.py" for x in ("esn", "base", "initial")}
    assert "cells/leaky.py" in names("rnncells.cells.predictive")
    kernel = names(*cell_modules("rnncells.cells.bistable"))
    assert {"kernels/units/bistable.py", "kernels/unit.py", "kernels/scalars.py"} <= kernel


def test_a_training_depends_on_the_packages_that_make_numbers_alone():
    training = names("rnncells.training.loop", device="cpu")
    assert {file.split("/")[0] for file in training} == {
        *("training", "layers", "kernels", "cells", "random", "tasks")
    }
    backend = {str(file.relative_to(PACKAGE)) for file in PACKAGE.glob("kernels/numba/*.py")}
    assert backend - {"kernels/numba/__init__.py"} <= training
    tasks = ("copy_first_input", "binary_addition", "trajectory_generation")
    assert not training & {f"tasks/{name}.py" for name in tasks}
    assert not any(file.startswith("kernels/units/") for file in training)
    on_gpu = names("rnncells.training.loop", device="cuda")
    assert not any("/numba/" in file for file in on_gpu)
    assert {file for file in training - on_gpu if "/numba/" not in file} <= {"kernels/scalars.py"}


@pytest.mark.parametrize(
    ("modules", "packages"),
    [
        (["rnncells.results.tables", "rnncells.results.summary"], {"results"}),
        (["rnncells.figures.drawing", "rnncells.figures.capacity"], {"figures"}),
        (["rnncells.search.optimum"], {"search", "random"}),
    ],
)
def test_tables_and_figures_depend_on_their_own_package(modules, packages):
    assert {file.split("/")[0] for file in names(*modules)} == packages


def test_a_users_cell_depends_on_its_neighbours(tmp_path, monkeypatch):
    source = {
        "mine/cells.py": "import torch, beside\nfrom . import near\nfrom rnncells import Cell",
        "mine/near.py": "def f():\n    from .deep.far import x",
        "mine/deep/far.py": "from ..last import y",
        "mine/last.py": "import mine.cells, mine.wrong",
        "mine/wrong.py": "def (",
        "mine/__init__.py": "",
        "mine/other.py": "",
        "beside.py": "import json",
    }
    for name, text in source.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    found = depends_on("mine.cells")
    assert {str(path.relative_to(tmp_path)) for path in found} == {*source} - {"mine/other.py"}
    source_fingerprint(found)  # of what cannot be parsed too


SOURCE = '''
"""A module."""
from dataclasses import dataclass
from pydantic import Field

@dataclass
class Point:
    """A point."""
    x: float
    y: float = 0.0
    n: int = Field(3, ge=1, description="How many.")

def f(point, scale=2):
    factor = 3  # a comment
    return scale * point.x * factor
'''


def fingerprint_of(tmp_path, text):
    file = tmp_path / f"{abs(hash(text))}.py"
    file.write_text(text)
    return source_fingerprint([file])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# a comment", "# another"),
        ('"""A module."""', '"""Another."""'),
        ('    """A point."""\n', ""),
        ("How many.", "The number."),
        ("def f(point, scale=2):", "def f(\n    point: Point,\n\n    scale: int = 2) -> float:"),
        ("factor = 3", "factor: int = 3"),
        ("factor = 3", "product: int\n    (factor) = 3"),
        ("x: float", "x: 'int'"),
        ("import Field", "import Field, BaseModel"),
        ("import Field", "import Field\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
         "    from torch import Tensor"),
    ],
)  # fmt: skip
def test_what_computes_nothing_changes_no_fingerprint(tmp_path, before, after):
    assert SOURCE.count(before) == 1
    edited = SOURCE.replace(before, after)
    assert fingerprint_of(tmp_path, edited) == fingerprint_of(tmp_path, SOURCE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("factor = 3", "factor = 4"),
        ("factor = 3", "factor = 3.0"),
        ("scale * point.x", "point.x * scale"),
        ("scale=2", "scale=3"),
        ("y: float = 0.0", "y: float = 1.0"),
        ("    x: float\n    y: float = 0.0\n", "    y: float\n    x: float = 0.0\n"),
        ("Field(3,", "Field(4,"),
        ("from pydantic import Field", "from mine import Field"),
        ("@dataclass\n", ""),
        ("factor = 3", "None"),
        ("return", "return -"),
    ],
)
def test_what_computes_something_changes_the_fingerprint(tmp_path, before, after):
    assert SOURCE.count(before) == 1
    edited = SOURCE.replace(before, after)
    assert fingerprint_of(tmp_path, edited) != fingerprint_of(tmp_path, SOURCE)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the package, which may be edited."""
    package = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "PACKAGE", package)
    forget()
    yield package
    monkeypatch.undo()
    forget()


def forget():
    for function in (sources.module_file, sources._imported, sources._digest, depends_on):
        function.cache_clear()


def test_kernels_for_another_device_do_not_count(copied):
    """What is made on the CPU outlives the GPU's kernels, and the other way round."""
    triton = copied / "kernels/triton/scan.py"

    def fingerprints():
        forget()
        files = {
            kind: depends_on("rnncells.training.loop", device=kind) for kind in ("cpu", "cuda")
        }
        return {kind: source_fingerprint(files[kind]) for kind in files}

    before = fingerprints()
    triton.write_text(triton.read_text() + "\nEDITED = True\n")
    after = fingerprints()
    assert after["cpu"] == before["cpu"]
    assert after["cuda"] != before["cuda"]
    product = copied / "kernels/numba/product.py"
    product.write_text(product.read_text() + "\nEDITED = True\n")
    last = fingerprints()
    assert last["cpu"] != after["cpu"]
    assert last["cuda"] == after["cuda"]


def test_where_the_job_chose_the_device_its_record_says_what_counts(tmp_path):
    record = tmp_path / "run.json"
    then, now = {"cpu": "a", "cuda": "b"}, {"cpu": "a", "cuda": "c"}
    assert fingerprint_that_holds(now, record) == now
    record.write_text(json.dumps({"device": "cpu", "code": then}))
    assert fingerprint_that_holds(now, record) == then
    assert fingerprint_that_holds({"cpu": "a"}, record) == {"cpu": "a"}
    record.write_text(json.dumps({"device": "NVIDIA H200", "code": then}))
    assert fingerprint_that_holds(now, record) == now
    for damaged in ("", '{"device": "cpu"}', "[]"):
        record.write_text(damaged)
        assert fingerprint_that_holds(now, record) == now
