"""A figure by the name of its function, drawn and written."""

import importlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from ..jobs.errors import UserError
from ..jobs.files import write_bytes
from ..results.provenance import source
from .style import figure_style


def draw(
    module: str, function: str, tables: Mapping[str, pd.DataFrame], protocol: Mapping
) -> Figure:
    """Return the figure that ``module.function(**tables, protocol=protocol)`` draws.

    A module is looked for in the current directory too.

    Raises:
        UserError: if the function returns something else than a figure.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    with figure_style():
        figure = getattr(importlib.import_module(module), function)(**tables, protocol=protocol)
    if not isinstance(figure, Figure):
        raise UserError(
            f"{module}:{function} returned {type(figure).__name__}; expected a "
            "matplotlib.figure.Figure"
        )
    return figure


@figure_style()
def save(figure: Figure, pdf: str | Path, png: str | Path) -> None:
    """Write a figure to both files; the same figure of the same source gives the same bytes."""
    origin = source()
    content = io.BytesIO()
    # Not figure.savefig, which draws once more to arrange what drawing arranges anyway.
    FigureCanvasPdf(figure).print_pdf(content, metadata={"CreationDate": None, "Subject": origin})
    write_bytes(pdf, content.getbuffer())
    figure.set_layout_engine("none")  # arranged already, which takes as long as drawing
    figure.dpi = 200
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content, metadata={"Software": None, "Source": origin})
    write_bytes(png, content.getbuffer())
