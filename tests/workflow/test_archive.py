"""What is archived of full-size studies fits the workflow as it is."""

import pytest
import yaml

from rnncells.results.archive import FOLDER, archived, restore
from rnncells.study.plan import resolve

from .test_workflow import ROOT, Project


@pytest.mark.parametrize("configuration", sorted(path.name for path in FOLDER.glob("*/")))
def test_what_is_archived_is_trained_no_more(tmp_path, configuration):
    config = f"config/{configuration}.yaml"
    plan = resolve(yaml.safe_load((ROOT / config).read_text()))
    made = list(archived(FOLDER, configuration))
    project = Project(tmp_path)
    trainings = project.planned(config, "train").total()
    searches = project.planned(config, "search", "grid").total()
    assert restore(FOLDER / configuration, plan, tmp_path / "results")
    assert project.planned(config, "train").total() == trainings - len(made)
    found = len(list((FOLDER / configuration).glob("searches/**/search.json")))
    assert project.planned(config, "search", "grid").total() == searches - found
