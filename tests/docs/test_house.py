"""The picture of the packages."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_picture_of_the_packages_is_that_of_the_import_contract():
    house = runpy.run_path(str(ROOT / "docs/house.py"))
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert house["drawn"](page) == page
    folders = {path.parent.name for path in (ROOT / "src/rnncells").glob("*/__init__.py")}
    assert set(house["packages"]()) == folders
    assert all(f"<b>{name}</b>" in page for name in folders)
    assert all(map(house["purpose"], folders))
