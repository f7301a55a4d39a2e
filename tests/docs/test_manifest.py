"""Citation and manifest: valid, and about what the workflow really makes."""

import re
from pathlib import Path

import yaml

from rnncells.study.plan import resolve
from rnncells.tasks import task_class

ROOT = Path(__file__).parents[2]


def read(name):
    return yaml.safe_load((ROOT / name).read_text())


def test_the_manifest_lists_every_figure_and_the_command_that_makes_it():
    manifest = read("codecheck.yml")["manifest"]
    commands = {
        entry["file"]: re.search(r"make .*", entry["comment"]).group() for entry in manifest
    }
    plan = resolve(read("config/config.yaml"))
    figures = {
        f"results/figures/{study}/{figure}.pdf"
        for study, part in plan.items()
        for figure in task_class(part.task).figures
    }
    figures |= {f"results/overall/config/{name}.pdf" for name in ("cost", "summary", "scorecard")}
    drawn = {file for file in commands if file.startswith("results") and file.endswith(".pdf")}
    assert drawn == figures
    for file, command in commands.items():
        assert command == f"make figures ARGS={file}" or (ROOT / file).exists()
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for file in ("scorecard.csv", "across_tasks.csv"):
        assert f'f"{{OVERALL}}/{file}"' in rules
        assert f"results/overall/config/{file}" in commands


def test_the_citation_has_what_the_format_asks_for():
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{citation["version"]}"' in project
    assert f'license = "{citation["license"]}"' in project
    assert (
        f"* {citation['references'][0]['authors'][0]['family-names']}"
        in (ROOT / "README.md").read_text()
    )
