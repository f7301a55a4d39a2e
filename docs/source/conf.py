"""How Sphinx builds the site; `make docs` runs it.

The source folder is the whole repository, so that the Markdown pages which GitHub shows, and their
links to each other, are the site's pages too.
"""

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
    "sphinx.ext.apidoc",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "mathml",
]
root_doc = "README"
include_patterns = [
    "*.md",
    "config/**.md",
    "workflow/profiles/*.md",
    "results/README.md",
    "src/rnncells/published/*.md",
    "docs/**",
]
exclude_patterns = [".*", "build", "docs/build", "results/*/**", "tests", "**/_*.rst"]

# Markdown
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Files that are no pages (sources, tables, figures) are offered as they are.
# Names that several modules have (``Batch``) lead to one of them.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure", "ref.python"]

# The interface of every module that has no page of its own
apidoc_modules = [
    {
        "path": "../../src/rnncells",
        "destination": "docs/api",
        "exclude_patterns": [
            "../../src/rnncells/cells/[!bi_]*.py",
            "../../src/rnncells/cells/bistable.py",
        ],
        "max_depth": 2,
        "module_first": True,
        "automodule_options": {"members", "ignore-module-all"},
    }
]

# Not installed with the documentation's requirements.
autodoc_mock_imports = ["triton"]

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
    (r"py:.*", r"(annotated_types|filelock|numba|triton|pickle|pydantic|types|typing)\..*"),
    (r"py:.*", r"(dict|list)\[.*"),
    (r"py:.*", r"rnncells\..*\.(_\w+|Annotated|M|Table)"),
    (r"py:.*", r"(abc|ast|collections|contextlib|pathlib)\..*"),
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


#: What the README, which is the site's first page, does not show on GitHub.
NAVIGATION = """
```{toctree}
:caption: The layer library
:hidden:
docs/source/layer
docs/source/predictive_coding
docs/source/kernels
```

```{toctree}
:caption: The cells
:hidden:
:glob:
docs/source/cells/*
```

```{toctree}
:caption: The workflow
:hidden:
:glob:
config/README
src/rnncells/published/README
results/README
workflow/profiles/README
docs/*
docs/reproduction/README
docs/reproduction/*/figures/*/README
docs/reproduction/*/overall/*/README
```

```{toctree}
:caption: For contributors
:hidden:
CONTRIBUTING
CHANGELOG
docs/api/modules
```
"""


def add_navigation(app, document, content):
    """Append the table of contents to the first page."""
    if document == root_doc:
        content[0] += NAVIGATION


def skip_field(app, what, name, member, skip, options):
    """Leave out fields of named tuples, and classes that are attributes under their own name."""
    alias = what == "class" and isinstance(member, type) and member.__qualname__ == name
    return True if alias or (member.__doc__ or "").startswith("Alias for field number") else None


def keep_colon(app, what, name, member, options, lines):
    """Keep Napoleon from reading a property's "what it is: more of it" as "type: description"."""
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")


def setup(app):
    """Connect the hooks; that of docstrings has to come before Napoleon's."""
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-docstring", keep_colon, priority=400)
    app.connect("autodoc-skip-member", skip_field)
