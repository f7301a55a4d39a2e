"""Whatever a configuration holds: it is resolved, or refused in one line that names the key."""

import copy
import json
import math
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncells.cells import CELLS, cell_class
from rnncells.jobs.errors import shown
from rnncells.study.catalogue import describe_cell
from rnncells.study.plan import MOST_RUNS, resolve
from rnncells.study.read import read
from rnncells.study.validation import ConfigError

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "src/rnncells/published"
TRAINABLE = sorted(name for name, made in CELLS.items() if made.trainable)

# What is allowed


def sizes(largest):
    return st.lists(st.integers(1, largest), min_size=1, max_size=3, unique=True)


@st.composite
def searches(draw, names):
    bounds = st.tuples(st.floats(1, 9), st.floats(10, 60)).map(list)
    return {
        "source": "search",
        "search": {
            "configurations": draw(st.integers(2, 400)),
            "batch": draw(st.integers(1, 9)),
            "space": draw(st.dictionaries(st.sampled_from(names), bounds)),
        },
    }


@st.composite
def studies(draw):
    task = draw(st.sampled_from(["copy_first_input", "binary_addition", "trajectory_generation"]))
    generates = task == "trajectory_generation"
    cells = draw(st.lists(st.sampled_from(TRAINABLE), min_size=1, max_size=4, unique=True))
    parameters = ["lr", *(["p"] if generates else [])]
    values = {"lr": draw(st.floats(1e-6, 1))} | (
        {"p": draw(st.integers(1, 60))} if generates else {}
    )
    for name in sorted({name for cell in cells for name in describe_cell(cell).search_space}):
        parameters.append(name)
        values[name] = draw(st.floats(1, 100))
    study = {
        "task": task,
        "cells": cells,
        "lengths": draw(sizes(50).map(lambda found: [length + 1 for length in found])),
        "hidden_sizes": draw(sizes(300)),
        "hyperparameters": draw(st.one_of(st.just({"values": values}), searches(parameters))),
        "training": {"readout": "gradient"},
    }
    if draw(st.booleans()):
        study["layers"] = draw(sizes(3))
        study["seeds"] = draw(st.one_of(st.integers(1, 30), sizes(4294967295)))
        study["seeds_per_job"] = draw(st.integers(1, 40))
    if generates:
        study["data"] = {"trajectories": draw(st.integers(60, 90)), "points": 60}
    if draw(st.booleans()):
        study["per_cell"] = {draw(st.sampled_from(cells)): {"seeds": 2, "layers": [1]}}
    return study


NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,8}\Z")
CONFIGS = st.builds(
    lambda device, found: {"device": device, "studies": found},
    st.sampled_from(["auto", "cpu", "cuda"]),
    st.dictionaries(NAMES, studies(), min_size=1, max_size=2),
)

# What is not, mostly

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 10**12, 10**400, 2**63, 1e308, -0.0, 5.0, math.nan, -math.inf]),
)
STRANGE = st.one_of(
    st.text(st.characters(exclude_categories=())),  # surrogates too
    st.sampled_from(["", "../../etc", "/", "a\nb", "\0", "{study}", "1e-3", "~", "x" * 5000, "é"]),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, STRANGE, st.binary(), st.just(date(2020, 1, 1))
)
KEYS = st.one_of(STRANGE, st.integers(), st.none(), st.booleans(), st.just(date(2020, 1, 1)))
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3), st.tuples(inner)
    ),
    max_leaves=8,
)


def outcome(config) -> str | None:
    """Resolve a configuration; give back the line that refuses it."""
    try:
        plan = resolve(config, PUBLISHED)
    except ConfigError as error:
        line = str(error)
        assert line.isprintable()
        assert len(line) < 700
        return line
    json.dumps({study: part.model_dump() for study, part in plan.items()}, allow_nan=False)
    return None


def places(value, path=()):
    """Yield the path to everything inside a configuration."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def parent_of(config, path):
    for key in path[:-1]:
        config = config[key]
    return config


def key_of(path) -> str:
    """Return the last key of a path that is a name."""
    return next(key for key in reversed(path) if isinstance(key, str))


@settings(max_examples=50)
@given(CONFIGS)
def test_a_valid_configuration_is_resolved_and_to_the_same_plan_again(config):
    before = copy.deepcopy(config)
    plan = resolve(config, PUBLISHED)
    assert config == before
    assert resolve(yaml.safe_load(yaml.safe_dump(config)), PUBLISHED) == plan
    assert resolve(json.loads(json.dumps(config)), PUBLISHED) == plan
    for name, study in config["studies"].items():
        assert list(plan[name].cells) == study["cells"]


@settings(max_examples=120)
@given(st.data())
def test_junk_in_one_place_is_accepted_or_refused_by_the_name_of_the_place(data):
    config = data.draw(CONFIGS)
    path = data.draw(st.sampled_from(list(places(config))))
    parent_of(config, path)[path[-1]] = data.draw(JUNK)
    line = outcome(config)
    assert line is None or key_of(path) in line


@settings(max_examples=60)
@given(st.data())
def test_a_number_out_of_range_is_refused_by_its_name(data):
    config = data.draw(CONFIGS)
    numbers = [
        path for path in places(config) if type(parent_of(config, path)[path[-1]]) in (int, float)
    ]
    path = data.draw(st.sampled_from(numbers))
    number = data.draw(st.sampled_from([0, -1, 10**12, 10**400, math.nan, math.inf]))
    parent_of(config, path)[path[-1]] = number
    line = outcome(config)
    # A seed may be 0, and a learning rate may be as large as one likes.
    assert line is not None or number in (0, 10**12)
    assert line is None or key_of(path) in line


@settings(max_examples=60)
@given(st.data(), KEYS, JUNK)
def test_an_unknown_key_is_refused_by_its_name(data, key, value):
    config = data.draw(CONFIGS)
    mappings = [(), *(p for p in places(config) if isinstance(parent_of(config, p)[p[-1]], dict))]
    path = data.draw(st.sampled_from(mappings))
    place = config
    for step in path:
        place = place[step]
    if key in place:
        return
    place[key] = value
    line = outcome(config)
    assert line is not None
    text = key if isinstance(key, str) else str(key)
    assert path[-1:] == ("studies",) or any(
        part in line for part in (text, json.dumps(key, default=str).strip('"'), shown(text)[1:60])
    )


@given(st.data())
def test_a_key_that_is_missing_has_a_default_or_is_asked_for(data):
    config = data.draw(CONFIGS)
    paths = [path for path in places(config) if isinstance(path[-1], str)]
    path = data.draw(st.sampled_from(paths))
    del parent_of(config, path)[path[-1]]
    line = outcome(config)
    assert line is None or path[-1] in line or key_of(path[:-1]) in line


@given(JUNK)
def test_junk_instead_of_everything_is_refused(junk):
    for config in ({"studies": junk}, {"studies": {"a": junk}}):
        line = outcome(config)
        assert line
        assert "studies" in line


def test_more_jobs_than_can_be_planned_are_refused():
    study = {"task": "copy_first_input", "cells": TRAINABLE, "lengths": [5], "hidden_sizes": [4]}
    line = outcome(
        {"studies": {"few": study, "many": study | {"seeds": 10**5, "seeds_per_job": 1}}}
    )
    assert f"{MOST_RUNS:,}" in line
    assert "many" in line
    assert "seeds_per_job" in line
    assert outcome({"studies": {"many": study | {"seeds": 10**5, "seeds_per_job": 1000}}}) is None


@pytest.mark.parametrize(
    ("cell", "option", "good", "bad"),
    [
        ("UGRNN", "state_activation", "identity", ["relu", 3, None, True, ["tanh"], {}]),
        ("PC-RNN-HC-M", "factors", 5, [0, -3, 2.5, "5", True, [5]]),
        ("ESN", "spectral_radius", 0.9, [-0.1, "0.9", False, {}]),
    ],
)
def test_options_are_checked_as_the_class_would(cell, option, good, bad):
    def with_option(value):
        study = {"task": "copy_first_input", "cells": [cell], "lengths": [5], "hidden_sizes": [4]}
        return {"studies": {"a": study | {"per_cell": {cell: {"options": {option: value}}}}}}

    assert outcome(with_option(good)) is None
    cell_class(cell)(1, 4, **{option: good})
    for value in bad:
        assert f"{option}: " in outcome(with_option(value))
        if not isinstance(value, bool | list | dict):
            with pytest.raises((TypeError, ValueError)):
                cell_class(cell)(1, 4, **{option: value})


@pytest.mark.parametrize("name", [name for name in CELLS if describe_cell(name).search_space])
def test_hyperparameters_are_checked_as_the_class_would(name):
    for parameter, (low, high) in describe_cell(name).limits.items():
        if parameter not in describe_cell(name).search_space:
            continue
        for value, allowed in ((low, True), (low - 1e-3, False), (high + 1, math.isinf(high))):
            study = {
                "task": "copy_first_input",
                "cells": [name],
                "lengths": [5],
                "hidden_sizes": [4],
                "hyperparameters": {"values": {"lr": 0.1, parameter: value}},
            }
            if math.isinf(value):
                continue
            assert (outcome({"studies": {"a": study}}) is None) == allowed
            if not allowed:
                with pytest.raises(ValueError, match=parameter):
                    cell_class(name)(1, 4, **{parameter: value})
    assert set(describe_cell(name).search_space) <= set(describe_cell(name).limits)


# Files

TEXT = (ROOT / "config/config.yaml").read_bytes()


def read_outcome(folder: Path, content: bytes) -> str | dict:
    """Read a file; give back the line that refuses it, or its content."""
    file = folder / "file.yaml"
    file.write_bytes(content)
    try:
        return read(file)
    except ConfigError as error:
        line = str(error)
        assert line.isprintable()
        assert line.startswith(str(file))
        return line


@given(st.one_of(st.binary(), st.text().map(str.encode), JUNK.map(repr).map(ascii).map(str.encode)))
def test_any_file_is_read_or_refused_in_one_line(tmp_path, content):
    read_outcome(tmp_path, content)


@settings(max_examples=60)
@given(cut=st.integers(0, len(TEXT)), flip=st.integers(0, 8 * len(TEXT) - 1))
def test_a_damaged_file_is_read_as_it_is_or_refused_in_one_line(tmp_path, cut, flip):
    flipped = bytearray(TEXT)
    flipped[flip // 8] ^= 1 << flip % 8
    for content in (TEXT[:cut], bytes(flipped)):
        found = read_outcome(tmp_path, content)
        if isinstance(found, dict):
            assert found == yaml.safe_load(content)
            outcome(found)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "empty"),
        (b"# nothing", "empty"),
        (b"- a", "top level"),
        (b"a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' is there twice"),
        (b"a: {1: 2, 0x1: 3}", "the key 1 is there twice"),
        (b"a: {true: 2, yes: 3}", "the key True is there twice"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there twice"),
        (b"studies: [", "line"),
        (b"studies:\n\ta: 1", "line 2, column 1"),
        ("# é".encode("latin1"), "UTF-8"),
        (b"a: !!python/object/apply:os.mkdir [executed]", "line 1"),
        (b"a: !!python/name:os.mkdir", "line 1"),
        (b"a: " + b"9" * 5000, "digits"),
        (b"a: 2020-13-45", "month"),
        ("studies: {}".encode("utf-16"), "UTF-8"),
        (b"studies:\n  seeds: [010]", "line 2, column 11: YAML reads 010 as an octal number, 8"),
    ],
)
def test_files_that_no_person_meant(tmp_path, monkeypatch, content, fragment):
    monkeypatch.chdir(tmp_path)
    assert fragment in read_outcome(tmp_path, content)
    assert not (tmp_path / "executed").exists()


def test_an_expression_in_a_file_is_not_evaluated(tmp_path):
    found = read_outcome(tmp_path, b'__use_yte__: true\nstudies: \'?open("executed", "w")\'\n')
    assert found["studies"].startswith("?open")
    assert "__use_yte__" in outcome(found)


def test_what_is_merged_may_be_replaced(tmp_path):
    content = """
    base: &base {epochs: 1, rate: 2}
    a: {b: {training: &g {<<: *base, epochs: 3}}}
    c: {training: {<<: *g}}
    """
    found = read_outcome(tmp_path, content.encode())
    assert found["a"]["b"]["training"] == found["c"]["training"] == {"epochs": 3, "rate": 2}


def test_there_is_no_such_file(tmp_path):
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError, match=r"No such file|is a directory"):
            read(path)


STUDY = {"task": "copy_first_input", "lengths": [5], "hidden_sizes": [4]}
CELL = "from rnncells.cells.base import Cell\nclass A(Cell):\n    "
SOURCES = {
    "its own base": ("class A(A): pass", "RecursionError"),
    "too deep": ("class A:\n    x = " + "-" * 100_000 + "1", "cannot be read"),
    "no Python": ("class A(:", "line 1"),
    "a space of no mapping": (CELL + "search_space = ['tau']", "(low, high, scale)"),
    "a space without scale": (CELL + "search_space = {'tau': (1, 100)}", "(low, high, scale)"),
    "a scale of another name": (CELL + "search_space = {'tau': (1, 9, 'Log')}", "linear, log"),
    "a space upside down": (CELL + "search_space = {'tau': (9, 1, 'log')}", "low < high"),
    "a log scale from 0": (CELL + "search_space = {'tau': (0, 1, 'log')}", "low > 0"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_cell_that_cannot_be_read_is_refused_in_one_line(tmp_path, monkeypatch, name):
    source, fragment = SOURCES[name]
    module = f"hostile_{name.replace(' ', '_')}"
    (tmp_path / f"{module}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    line = outcome({"studies": {"a": STUDY | {"cells": [f"{module}:A"]}}})
    assert line.startswith("studies.a.cells: ")
    assert fragment in line


def test_unusual_cells_are_read(tmp_path, monkeypatch):
    (tmp_path / "unusual.py").write_text(
        CELL
        + """table = {[1]: 2}
    search_space = {"tau": (1, 100, "log")}
    def __init__(self, m, n, *, tau=1.0, mode: Literal["abc"] = "abc", **common):
        self.add_hyperparameter(name="tau", value=tau, low=1.0)
"""
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert describe_cell("unusual:A").limits == {"tau": (1.0, math.inf)}
    for mode, fine in (("abc", True), ("b", False), (3, False)):
        own = {"unusual:A": {"options": {"mode": mode}}}
        found = outcome({"studies": {"a": STUDY | {"cells": ["unusual:A"], "per_cell": own}}})
        assert (found is None) == fine, found
