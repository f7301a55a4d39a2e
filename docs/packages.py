"""Draw the packages, as the import contract has them, into CONTRIBUTING.md.

    python docs/packages.py

The order comes from ``pyproject.toml``, and what a package is for from its own docstring.
"""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BLOCK = re.compile(r"(?<=<!-- packages -->\n).*?(?=<!-- /packages -->)", re.DOTALL)


def packages() -> list[str]:
    """Return the packages of the layers contract, from the one that imports all others down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    return next(c["layers"] for c in contracts if c["type"] == "layers")


def purpose(package: str) -> str:
    """Return the first sentence of a package's docstring."""
    tree = ast.parse((ROOT / "src/rnncells" / package / "__init__.py").read_text())
    sentence = (ast.get_docstring(tree) or "").split("\n")[0]
    return sentence.rstrip(".").replace("`", "")


def picture() -> str:
    """Return the picture as Mermaid, in which GitHub draws it."""
    names = packages()
    lines = ["```mermaid", "flowchart TD", '    workflow["workflow/, benchmarks/"]']
    lines += [f'    {name}["<b>{name}</b><br>{purpose(name)}"]' for name in names]
    lines += [f"    {' --> '.join(['workflow', *names])}", "```", ""]
    return "\n".join(lines)


def drawn(page: str) -> str:
    """Return a page with the picture in its place."""
    return BLOCK.sub(lambda _: picture(), page)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
