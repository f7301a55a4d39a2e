"""A user's own figure, and the default one, from the configuration to the page that shows them."""

import json
import re

import pytest

from .test_workflow import Project

OWN = '''
"""Copy first input, drawn in another way."""

from matplotlib.figure import Figure

from rnncells.tasks.copy_first_input import CopyFirstInput


class Copy(CopyFirstInput):
    """As the original, with other figures."""

    figures = ("scores", "mine.copy:parameters")


def parameters(runs, *, protocol):
    """How many parameters the networks of {{ braces }} have."""
    figure = Figure()
    figure.subplots().plot(runs["parameters"], runs["score"], "o")
    return figure
'''
CONFIG = {
    "device": "cpu",
    "studies": {
        "own": {
            "task": "mine.copy:Copy",
            "cells": ["GRU"],
            "lengths": [3],
            "hidden_sizes": [4, 6],
            "seeds": 2,
            "training": {"train_sequences": 100, "test_sequences": 20, "epochs": 1},
        }
    },
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("project"))
    (made.folder / "mine").mkdir()
    (made.folder / "mine/copy.py").write_text(OWN)
    done = made.snakemake(CONFIG)
    assert done.returncode == 0, done.stdout
    return made


def test_both_figures_are_drawn_and_shown(project):
    figures = project.folder / "results/figures/own"
    page = (figures / "README.md").read_text()
    shown = re.findall(r"\]\((.*?)\)", page)
    assert shown == ["./scores.png", "./mine.copy:parameters.png"]
    for file in shown:
        assert (figures / file).read_bytes().startswith(b"\x89PNG")


def test_editing_the_figure_draws_it_again(project):
    file = project.folder / "mine/copy.py"
    file.write_text(OWN.replace('"o"', '"s"'))
    try:
        jobs = project.planned(CONFIG)
    finally:
        file.write_text(OWN)
    assert jobs["figure", "", "", "", "", ""] >= 1


def test_the_report_has_the_docstring_as_caption(project):
    done = project.snakemake(CONFIG, "--report", "report.html")
    assert done.returncode == 0, done.stdout
    report = (project.folder / "report.html").read_text()
    assert "How many parameters the networks of {{ braces }} have." in report
    assert json.dumps("mine.copy:parameters")[1:-1] in report


def test_an_unknown_figure_is_one_line(project):
    file = project.folder / "mine/copy.py"
    file.write_text(OWN.replace('"mine.copy:parameters"', '"mine.copy:params"'))
    try:
        done = project.snakemake(CONFIG, "--dry-run")
    finally:
        file.write_text(OWN)
    assert done.returncode != 0
    (line,) = [line for line in done.stdout.splitlines() if "Configuration error" in line]
    assert "there is no function 'params'" in line
    assert "Traceback" not in done.stdout
