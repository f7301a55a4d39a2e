"""docs/tasks.md shows an example of every task."""

import re
import runpy
from pathlib import Path
from typing import get_args

import pytest

from rnncells.tasks import task_names
from rnncells.tasks.cogscale import Problem

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tasks.md").read_text().replace("**`cogscale`** with", "")
EXAMPLES = runpy.run_path(str(DOCS / "examples/tasks.py"))["EXAMPLES"]


def test_every_task_has_its_example_on_the_page():
    shown = re.findall(r"\*\*`(\w+)`\*\*.*?\(images/tasks/(\w+)\.png\)", PAGE, re.S)
    wanted = {*get_args(Problem), *task_names()} - {"cogscale"}
    assert {name for name, _ in shown} == wanted == set(EXAMPLES)
    for name, file in shown:
        assert name == file
        assert (DOCS / f"images/tasks/{file}.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["copy_first_input", "denoising", "sorting_problem"])
def test_examples_are_drawn_from_the_tasks_own_data(name):
    figure = EXAMPLES[name]()
    assert [ax.get_ylabel() for ax in figure.axes] == ["input", "target"]
