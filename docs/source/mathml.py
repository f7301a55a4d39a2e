"""A Sphinx extension: equations as MathML, which browsers draw without scripts or fonts of ours.

Docutils has the converter; Sphinx has no renderer that uses it.
"""

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# What the converter knows in one form only: brackets of a size, by side; primes, as a superscript
# (a subscript after h' would hang on the prime); accents, in a group if there is a subscript (it
# would go below); underscores in text, without backslash.
_OPENING = re.compile(r"\\([bB]igg?)(?=\s*[(\[])")
_CLOSING = re.compile(r"\\([bB]igg?)(?=\s*[)\]])")
_PRIME = re.compile(r"'(?:\^(\*))?")
_ACCENT = re.compile(r"\\(?:hat|tilde|bar)\s*\w(?=_)")
_UNDERSCORE = re.compile(r"(\\text\{[^{}]*?)\\_")


def convert(equation: str, *, block: bool = False) -> str:
    """Return an equation in LaTeX as MathML.

    Raises:
        docutils.utils.math.MathError: for LaTeX that has no MathML.
    """
    equation = _CLOSING.sub(r"\\\1r", _OPENING.sub(r"\\\1l", equation))
    equation = _PRIME.sub(r"^{\\prime \1}", equation)
    equation = _ACCENT.sub(r"{{}\g<0>}", equation)
    equation = _UNDERSCORE.sub(r"\1_", equation)
    return tex2mathml(equation, as_block=block)


def _inline(translator, node: nodes.math) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="equation">{convert(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app) -> dict:
    """Add the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
