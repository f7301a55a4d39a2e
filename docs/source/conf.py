"""How Sphinx builds the documentation; `make docs` runs it."""

import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # mathml.py, and figures.py for the pages

import rnncells  # noqa: E402

project = "rnncells"
author = "The rnncells authors"
version = release = rnncells.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "mathml",
]
root_doc = "index"
exclude_patterns = ["**/_*.rst"]
if find_spec("rnncells.predictive_coding") is None:
    exclude_patterns.append("predictive_coding.rst")

# Docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Weights", "params_style")]
default_role = None
python_use_unqualified_type_names = True
add_module_names = False

# Every cross-reference must lead somewhere, except to the documentation of others: fetching their
# indices would need the network.
nitpicky = True
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(torch|np|numpy|pd|pandas|nn|sklearn|skopt|matplotlib|collections|pathlib|contextlib)\b.*",
    ),
    (r"py:.*", r"(Tensor|Path|Sequence|Mapping|Iterator|Callable|Iterable|ABC|optional)"),
]

# Figures: drawn anew from the cells by every build
plot_basedir = str(HERE)
plot_formats = ["svg"]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False

# Pages that need no network: system fonts, no scripts from elsewhere, equations as MathML
html_theme = "furo"
html_title = f"rnncells {release}"
html_static_path = ["_static"]
html_css_files = ["equations.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
