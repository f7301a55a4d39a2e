"""How Sphinx builds the documentation; `make docs` runs it."""

import sys
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

# Docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Weights", "params_style")]
python_use_unqualified_type_names = True
add_module_names = False

# Every qualified cross-reference must lead somewhere, except to the documentation of others:
# fetching their indices would need the network. A bare name may be mere code.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"[^.]*"),
    (r"py:.*", r"(torch|nn|np|numpy|pd|pandas|matplotlib|skopt)\..*"),
    (r"py:.*", r"(collections|contextlib|pathlib)\..*"),
    (r"py:class", r"rnncells\.cells\.C"),  # a type variable
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


def skip_field(app, what, name, member, skip, options):
    """Leave out the fields of named tuples, which the class describes already."""
    return True if (member.__doc__ or "").startswith("Alias for field number") else None


def keep_colon(app, what, name, member, options, lines):
    """Keep Napoleon from reading a property's "what it is: more of it" as "type: description"."""
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")


def setup(app):
    """Connect the hooks; the second one has to come before Napoleon's."""
    app.connect("autodoc-process-docstring", keep_colon, priority=400)
    app.connect("autodoc-skip-member", skip_field)
