"""The documentation: what docstrings say of the cells, equations, pages and figures."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from rnncells import cell as make_cell
from rnncells.cells import CELLS
from tests.sixteen import SIXTEEN

SOURCE = Path(__file__).parents[2] / "docs/source"
PACKAGE = Path(__file__).parents[2] / "src/rnncells"
HELPERS = {"base", "initial", "activation", "__init__"}
PAGES = {path.stem: path.read_text() for path in (SOURCE / "cells").glob("[!_]*.rst")}

pytest.importorskip("sphinx")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def docs_modules(monkeypatch):
    """Make the modules beside the pages importable."""
    monkeypatch.syspath_prepend(str(SOURCE))
    for name in ("figures", "mathml"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    for name in ("figures", "mathml"):
        sys.modules.pop(name, None)


def weights_section(docstring: str) -> dict[str, str]:
    """Return the shape that a docstring gives for every tensor."""
    section = re.search(r"^    Weights:\n((?: {8}.*\n)+)", docstring, re.M)[1]
    shapes = {}
    for names, text in re.findall(r"^ {8}(\w+(?:, \w+)*): (.*(?:\n {12}.*)*)", section, re.M):
        for name in names.split(", "):
            shapes[name] = re.search(r"``\(([^`]*)\)``\.$", text)[1]
    return shapes


def test_docstrings_name_equation_source_and_initial_values(cell_name):
    text = CELLS[cell_name].__doc__
    assert ".. math::" in text
    assert re.search(r"^    Source: .*\d{4}", text, re.M)
    assert re.search(r"[Ii]nitial\s+(weights|values)", text)
    assert re.search(r"The\s+output is|the\s+output is", text)


def test_docstrings_give_every_tensor_its_shape(cell_name):
    options = {"factors": 4} if "HC-M" in cell_name else {}
    made = make_cell(cell_name, 3, 5, **options)
    sizes = {"input_size": 3, "n": 5, "d": 4}
    shapes = {
        name: tuple(
            int(k or 1) * sizes[symbol] for k, symbol in re.findall(r"(\d*)([a-z_]+)", shape)
        )
        for name, shape in weights_section(CELLS[cell_name].__doc__).items()
    }
    assert shapes == {name: tuple(value.shape) for name, value in made.state_dict().items()}


def test_docstrings_describe_every_option(cell_name):
    made = CELLS[cell_name]
    constructor = made.__init__.__kwdefaults__ or {}
    described = re.findall(r"^ {8}(\w+(?:, \w+)*): ", made.__doc__, re.M)
    described = {name for names in described for name in names.split(", ")}
    assert set(constructor) <= described


def test_every_family_has_a_page_with_its_cells_and_a_figure():
    families = {path.stem for path in (PACKAGE / "cells").glob("*.py")} - HELPERS
    assert families == set(PAGES)
    for name in SIXTEEN:
        page = PAGES[CELLS[name].__module__.rpartition(".")[2]]
        assert f"\n{name}\n{'-' * len(name)}\n" in page
        assert f".. autoclass:: {CELLS[name].__name__}\n" in page
    for page in PAGES.values():
        assert re.search(r"^\.\. plot:: figures\.py \w+\n   :alt: .", page, re.M)


def test_conf_loads(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    settings = runpy.run_path(str(SOURCE / "conf.py"))
    assert settings["html_math_renderer"] == "mathml"
    assert settings["nitpicky"]


def equations() -> list[tuple[str, bool]]:
    """Return all equations of docstrings and pages, and whether they stand alone."""
    found = []
    for path in [*PACKAGE.rglob("*.py"), *SOURCE.rglob("*.rst")]:
        text = path.read_text()
        found += [(inline, False) for inline in re.findall(r":math:`([^`]+)`", text)]
        found += [(block, True) for block in re.findall(r"\.\. math::\n((?:(?: {4,}.*)\n)+)", text)]
    return found


def test_every_equation_becomes_mathml():
    import mathml

    assert len(equations()) > 50
    for equation, block in equations():
        converted = mathml.convert(equation, block=block)
        assert converted.startswith("<math")
        assert "\\" not in converted, equation


def test_brackets_and_primes():
    import mathml

    converted = mathml.convert(r"\big(h'^*_{t-1}\big)")
    assert converted.count("<msubsup>") == 1
    assert "\N{PRIME}" in converted
    assert converted.count("minsize") == 2
    assert "munder" not in mathml.convert(r"\hat y_t")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_figures_draw_curves_on_labelled_axes(name):
    import figures

    figure = getattr(figures, re.search(r"plot:: figures\.py (\w+)", PAGES[name])[1])()
    try:
        figure.canvas.draw()
        for axes in figure.axes:
            assert axes.get_xlabel()
            assert axes.get_title()
            assert len(axes.lines) > 1
            for line in axes.lines:
                assert len(line.get_xydata()) > 0
        assert figure.axes[0].get_ylabel()
    finally:
        plt.close(figure)
