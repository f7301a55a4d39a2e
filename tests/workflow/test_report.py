"""The report in a browser, and a user's own figure from the configuration to the report."""

import re

import pytest

from ..browser import opened
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
        },
        "capacity": {
            "task": "trajectory_generation",
            "cells": ["GRU"],
            "lengths": [5],
            "hidden_sizes": [4],
            "seeds": 2,
            "data": {"trajectories": 4, "points": 50, "via_points": [3, 5]},
            "hyperparameters": {
                "source": "search",
                "search": {"configurations": 3, "initial": 2, "space": {"p": [1, 3]}},
            },
            "training": {"iterations": 5},
        },
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


@pytest.fixture(scope="module")
def report(project):
    done = project.snakemake(CONFIG, "--report", "report.html")
    assert done.returncode == 0, done.stdout
    with opened(project.folder / "report.html") as (page, errors, asked):
        page.set_default_timeout(20_000)
        page.wait_for_selector("text=Workflow")
        yield page, errors, asked


def go_to(page, *steps):
    """Start at the root of the report's menu, and follow its entries."""
    page.evaluate("window.location.reload()")
    page.wait_for_selector("text=Workflow")
    for step in steps:
        page.get_by_text(step, exact=True).first.click()


def places(page):
    """Return the results in the report: menu entries -> number of results."""
    categories = page.evaluate("categories")
    return {
        (category, *([] if list(parts) == ["Other"] else [part])): len(results)
        for category, parts in categories.items()
        for part, results in parts.items()
    }


def test_every_result_is_in_the_menu_and_visible(report):
    page, errors, asked = report
    results = {result["data_uri"]: path for path, result in page.evaluate("results").items()}
    seen = set()
    for steps, number in places(page).items():
        go_to(page, *steps)
        buttons = page.locator("tbody a[iconname=eye]")
        assert buttons.count() == number, steps
        for k in range(number):
            buttons.nth(k).click()
            shown = page.locator("img[src^='data:image/png'], iframe")
            shown.wait_for()
            seen.add(source := results[shown.get_attribute("src")])
            box = shown.bounding_box()
            assert box["width"] > 300, source
            assert box["height"] > 100, source
            if source.endswith(".png"):
                shown.evaluate("image => image.decode()")  # fails if it is no image
                assert shown.evaluate("image => image.naturalWidth") >= 700
            else:
                # A table may have no rows: with one cell there is nothing to compare.
                page.frame_locator("iframe").locator("thead button").first.wait_for()
    assert seen == set(results.values())
    kinds = {source.split("/")[-1] for source in seen}
    assert {"scores.png", "capacity.png", "cost.png", "scorecard.png", "summary.html"} <= kinds
    assert "mine.copy:parameters.png" in kinds
    assert any("search/cell=GRU" in source for source in seen)
    assert not errors
    assert not asked


def test_a_figures_docstring_is_its_caption(report):
    page, errors, _ = report
    go_to(page, "own", "figures")
    row = page.locator("tbody tr", has_text="mine.copy:parameters")
    row.locator("a[iconname=information-circle]").click()
    caption = "How many parameters the networks of {{ braces }} have."
    page.get_by_text(caption, exact=True).wait_for()
    assert not errors


def test_the_breadcrumbs_lead_back(report):
    page, _, _ = report
    go_to(page, "own", "figures")
    page.get_by_text("own", exact=True).first.click()
    page.get_by_text("tables", exact=True).first.click()
    page.get_by_text("summary table", exact=True).wait_for()
    page.get_by_text("Results", exact=True).first.click()
    page.get_by_text("capacity", exact=True).first.wait_for()


def test_statistics_and_workflow_are_drawn(report):
    page, errors, asked = report
    for entry in ("Workflow", "Statistics"):
        go_to(page, entry)
        page.locator("canvas, svg.marks").first.wait_for()
    assert not errors
    assert not asked


def test_a_table_is_sorted_by_a_click_on_a_columns_name(report):
    page, errors, _ = report
    go_to(page, "own", "tables")
    page.locator("tbody tr", has_text="summary table").locator("a[iconname=eye]").click()
    table = page.frame_locator("iframe")
    names = [name.strip() for name in table.locator("thead th").all_inner_texts()]
    column = names.index("mean")

    def values():
        cells = table.locator(f"tbody tr td:nth-child({column + 1})").all_inner_texts()
        return [float(cell) for cell in cells]

    unsorted = values()
    assert len(set(unsorted)) > 2
    header = table.locator("thead th button", has_text="mean")
    header.click()
    assert values() == sorted(unsorted)
    assert header.locator("xpath=..").get_attribute("aria-sort") == "ascending"
    header.click()
    assert values() == sorted(unsorted, reverse=True)
    table.locator("thead th button", has_text="metric").click()
    metrics = table.locator(f"tbody tr td:nth-child({names.index('metric') + 1})").all_inner_texts()
    assert metrics == sorted(metrics)
    assert not errors
