"""The JSON schema and the tables of config/README.md, against the models they are written from."""

import jsonschema
import pytest
import yaml

from rnncells.study.document import PAGE, ROOT, SCHEMA, page_text, schema_text
from rnncells.study.models import Search


def test_schema_and_tables_are_as_the_models():
    stale = "is stale; `make reference` writes it anew"
    assert SCHEMA.read_text() == schema_text(), f"{SCHEMA} {stale}"
    page = PAGE.read_text()
    assert page == page_text(page), f"{PAGE} {stale}"


def test_a_change_of_a_model_makes_the_page_stale(monkeypatch):
    page = PAGE.read_text()
    monkeypatch.setattr(Search.model_fields["tries"], "description", "Another text.")
    Search.model_rebuild(force=True)
    try:
        assert "| `tries` | integer from 1 | `2` | Another text. |" in page_text(page)
    finally:
        monkeypatch.undo()
        Search.model_rebuild(force=True)
    assert page == page_text(page)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.stem
)
def test_the_schema_accepts_the_configurations_that_come_with_the_project(file):
    schema = yaml.safe_load(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(file.read_text()), schema)


@pytest.mark.parametrize(
    ("keys", "fragment"),
    [
        ({"task": "copy_first_input", "training": {"iterations": 3}}, "iterations"),
        ({"task": "binary_addition", "data": {"points": 3}}, "points"),
        ({"task": "mytasks.adding:Adding", "training": {"anything": 3}}, None),
        ({"task": "copy_first_input", "lenghts": [5]}, "lenghts"),
    ],
)
def test_the_schema_refuses_what_editors_can_mark(keys, fragment):
    study = {"cells": ["GRU"], "lengths": [5], "hidden_sizes": [4]} | keys
    validator = jsonschema.Draft202012Validator(yaml.safe_load(SCHEMA.read_text()))
    errors = [error.message for error in validator.iter_errors({"studies": {"a": study}})]
    assert bool(errors) == bool(fragment)
    assert fragment is None or any(fragment in error for error in errors)
