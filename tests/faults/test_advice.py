"""Results are cut off, emptied, deleted: who does what the messages say has all of them again."""

import os
import re
import shutil
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

from .comparison import assert_undisturbed, files_of
from .forks import jobs
from .moments import moments
from .study import CONFIG
from .test_damaged_files import READERS

ADVICE = re.compile(r"(\S+): is damaged \(.*\); delete it and give the same command again$", re.M)


def promised(results: Path) -> list[str]:
    """Return the results of a finished project. (A search's journal is its own affair.)"""
    return [name for name in files_of(results) if "/journal/" not in name]


def kind(name: str) -> tuple[str, ...]:
    """Return what all results have in common that are made, and read, in the same way."""
    path = Path(name)
    if path.parts[0] == "figures":
        return "figures", path.parts[2] if "search" in path.parts else "", path.suffix
    return path.parts[0], path.name


def rounds(reference) -> list[list[str]]:
    """Deal out one result of every kind, in such a way that no round has two of one study.

    What is made again in a study touches no other one; of the results over all studies, a round has
    one of each rule.
    """
    rules = {name: job.rule for job in jobs(reference) for name in job.outputs}
    of_studies, of_all = defaultdict(list), defaultdict(list)
    candidates = defaultdict(dict)
    for name in promised(reference.results):
        part, study, *_ = Path(name).parts
        if part == "overall":
            of_all[rules[name]].append(name)
        else:
            candidates[kind(name)].setdefault(study, name)
    for found in sorted(candidates.values(), key=len):
        least = min(found, key=lambda study: len(of_studies[study]))
        of_studies[least].append(found[least])
    assert set(of_studies) == set(CONFIG["studies"])
    return [
        [name for name in dealt if name]
        for groups in (of_studies, of_all)
        for dealt in zip_longest(*groups.values())
    ]


def advised(text: str) -> set[str]:
    """Return the files that messages name as damaged."""
    assert "Traceback" not in text
    return {str(Path(name).relative_to("results")) for name in ADVICE.findall(text)}


def test_every_result_is_refused_by_name_before_anything_runs(finished, reference, tally):
    """All at once: each is named, and nothing is touched."""
    names = promised(finished.results)
    places = dict(zip(names, moments("all cut off", len(names), 1.0), strict=True))

    def refused(what):
        with tally.tries(f"a result {what} under a finished study", len(names)):
            head = finished.run()
            assert head.code == 1
            assert advised(head.text) == set(names)
            assert promised(finished.results) == names

    for name in names:
        path = finished.results / name
        size = int(places[name] * path.stat().st_size)
        while size and path.suffix in (".csv", ".md") and path.read_bytes()[size - 1] == ord("\n"):
            size -= 1  # that whole lines are missing does not show
        os.truncate(path, size)
    refused("cut off")
    for name in names:
        os.truncate(finished.results / name, 0)
    refused("emptied")
    for name in names:
        (finished.results / name).unlink()
    finished.succeed()
    assert_undisturbed(finished.results, reference.results)
    assert "Nothing to be done" in finished.succeed().text


def test_what_is_deleted_is_made_again(finished, reference, tally):
    """As a message says, or by mistake: one result of each study at a time."""
    for deleted in rounds(reference):
        with tally.tries("a result deleted under a finished study", len(deleted)):
            for name in deleted:
                (finished.results / name).unlink()
            # A study's name is enough for what is its own.
            studies = {Path(name).parts[1] for name in deleted} & set(CONFIG["studies"])
            finished.succeed(*studies)
            assert_undisturbed(finished.results, reference.results)
    assert "Nothing to be done" in finished.succeed().text


def test_what_only_its_reader_finds_damaged_is_refused_and_made_again(finished, reference, tally):
    """The files end as they should, but before that there are zeros, as after a loss of power."""
    # (Of a data set the header is looked at too, and all follows from it.)
    names = [name for name in READERS if not name.startswith("data/")]
    for name in names:
        path = finished.results / name
        content = path.read_bytes()
        path.write_bytes(bytes(len(content) - 8) + content[-8:])
    with tally.tries("a result full of zeros under a finished study", len(names)):
        said = set()
        while (head := finished.run()).code:
            damaged = advised(head.text)
            assert damaged
            for name in damaged:
                (finished.results / name).unlink()
            said |= damaged
        # What follows from one that is made again is made again before anything reads it.
        assert said
        assert said <= set(names)
        assert_undisturbed(finished.results, reference.results)
        assert "Nothing to be done" in finished.succeed().text


def test_tables_and_figures_are_made_again_from_the_runs(finished, reference, tally):
    with tally.tries("all tables and figures deleted"):
        for folder in ("tables", "figures", "overall"):
            shutil.rmtree(finished.results / folder)
        assert not re.search("^rule (train|search|grid|data):", finished.succeed().text, re.M)
        assert_undisturbed(finished.results, reference.results)
