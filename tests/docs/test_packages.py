"""The picture of the packages."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_picture_of_the_packages_is_that_of_the_import_contract():
    drawing = runpy.run_path(str(ROOT / "docs/packages.py"))
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert drawing["drawn"](page) == page
    folders = {path.parent.name for path in (ROOT / "src/rnncells").glob("*/__init__.py")}
    assert set(drawing["packages"]()) == folders
    assert all(f"<b>{name}</b>" in page for name in folders)
    assert all(map(drawing["purpose"], folders))
