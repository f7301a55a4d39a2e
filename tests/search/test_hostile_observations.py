"""Whatever is in the files of a search: it ends with the same numbers, or one line refuses them."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncells.jobs.files import DamagedFile
from rnncells.search.journal import Journal
from rnncells.search.loop import Observation, search
from rnncells.search.observations import read_observations
from rnncells.search.optimum import extract
from rnncells.search.space import Space

SPACE = {
    "p": {"low": 1, "high": 41, "scale": "integer", "first": 5},
    "lr": {"low": 1e-4, "high": 1.0, "scale": "log", "first": 0.01},
}
#: All proposals are draws, for which no surrogate is needed.
RULES = {"tries": 2, "batch": 2, "initial": 6, "seed": 0}


def evaluate(values, seeds):
    """Give a number to any configuration; every third one has diverged."""
    return [
        Observation([v["p"], math.nan if v["p"] % 3 else 1.5], -abs(v["p"] - 20), 1e-5, 0)
        for v in values
    ]


def run(folder: Path, configurations: int = 6) -> bytes:
    """Search, or what is left of it; give back the observations' file."""
    journal = Journal(folder / "j.csv", Space(SPACE), "n", 2, folder / "observations.csv")
    table = search(Space(SPACE), RULES, configurations, "n", evaluate, journal)
    assert len(table) == configurations
    return (folder / "observations.csv").read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    """What a search writes that nothing happens to."""
    return run(tmp_path_factory.mktemp("sound"))


def damaged(content: bytes, draw) -> bytes:
    """Do one of the things to a table's lines that happen to files."""
    lines = content.splitlines(keepends=True)
    k = draw(st.integers(0, len(lines) - 1))
    fields = lines[k].rstrip(b"\n").split(b",")
    column = draw(st.integers(0, len(fields) - 1))
    what = draw(st.sampled_from(["cut", "again", "gone", "swap", "column", "field", "bytes"]))
    if what == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if what == "again":
        return b"".join([*lines[: k + 1], *lines[k:]])
    if what == "gone":
        return b"".join([*lines[:k], *lines[k + 1 :]])
    if what == "swap":
        return b"".join([*lines[:k][::-1], *lines[k:]])
    if what == "column":
        table = [line.rstrip(b"\n").split(b",") for line in lines]
        return b"".join(b",".join(row[:column] + row[column + 1 :]) + b"\n" for row in table)
    if what == "field":
        fields[column] = draw(st.one_of(FIELDS, st.binary(max_size=9)))
        return b"".join([*lines[:k], b",".join(fields) + b"\n", *lines[k + 1 :]])
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.binary(max_size=30)) + content[at + draw(st.integers(0, 30)) :]


#: What Python, pandas or neither reads as a number.
FIELDS = st.sampled_from(
    [
        b"", b"nan", b"NaN", b"+nan", b"inf", b"-inf", b"Infinity", b"1e400", b"1_0", b"0x10",
        b" 3 ", b"3\r", b'"3"', b'"', b"True", b"-1", b"0", b"1e308", b"9" * 400, b"9" * 5000,
        "\uff11".encode(), b"\0", b"=1+1", b"3;4", b"None", b"3" + b"0" * 30 + b".5",
    ]
)  # fmt: skip


@settings(max_examples=100)
@given(st.data())
def test_a_search_goes_on_from_what_is_sound_in_its_journal(tmp_path, sound, caplog, data):
    """No line changes, except to another sound one that somebody has written there."""
    content = damaged(sound, data.draw)
    (tmp_path / "j.csv").write_bytes(content)
    caplog.clear()
    found = run(tmp_path)
    assert (tmp_path / "j.csv").read_bytes() == found
    assert len(read_observations(tmp_path / "observations.csv", 6, SPACE)) == 6
    for line in set(found.splitlines()) - set(sound.splitlines()):
        assert line in content.splitlines()
    for record in caplog.records:
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 300 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (lambda content: content.replace(b"\n", b"\r\n"), 6),
        (lambda content: b"\xef\xbb\xbf" + content, 6),
        (lambda content: content.replace(b"score", b'"score"'), 0),
    ],
    ids=["line ends", "byte order mark", "quotes"],
)
def test_what_an_editor_has_done_to_a_journal_costs_nothing(tmp_path, sound, caplog, edit, kept):
    (tmp_path / "j.csv").write_bytes(edit(sound))
    assert run(tmp_path) == sound
    assert (tmp_path / "j.csv.before").read_bytes() == edit(sound)
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert line.endswith(f"is kept as j.csv.before; {kept} of its observations count")


def test_the_beginning_of_a_header_is_not_kept(tmp_path, sound, caplog):
    (tmp_path / "j.csv").write_bytes(sound[:10])
    assert run(tmp_path) == sound
    assert not (tmp_path / "j.csv.before").exists()
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@settings(max_examples=100)
@given(st.data())
def test_observations_are_those_of_the_whole_search_or_refused(tmp_path, sound, data):
    path = tmp_path / "observations.csv"
    path.write_bytes(damaged(sound, data.draw))
    try:
        table = read_observations(path, 6, SPACE)
    except DamagedFile as error:
        line = str(error)
        assert line.startswith(f"{path}: is damaged (")
        assert line.endswith("); delete it and give the same command again")
        assert line.isprintable()
        assert len(line) < 400 + len(str(path))
    else:
        assert table["configuration"].tolist() == list(range(6))
        for name in (*SPACE, "score", "diverged"):
            assert np.isfinite(table[name].to_numpy(float)).all()


@settings(max_examples=20)
@given(st.data())
def test_an_optimum_is_found_for_whatever_is_accepted(tmp_path, sound, data):
    """Numbers that are much too large or small are numbers all the same."""
    path = tmp_path / "observations.csv"
    table = pd.read_csv(io.BytesIO(sound)).astype(dict.fromkeys(["score", "lr", "p"], float))
    value = data.draw(st.sampled_from([1e308, -1e308, 1e200, 1e-320, 0.0, 1e16]))
    rows = data.draw(st.sampled_from([[0], [5], list(range(6))]))
    table.loc[rows, data.draw(st.sampled_from(["score", "lr", "p"]))] = value
    table.to_csv(path, index=False)
    try:
        observations = read_observations(path, 6, SPACE)
    except DamagedFile:
        return
    optimum, surrogate = extract(observations, SPACE)
    assert np.isfinite([*optimum["values"].values(), optimum["score"], optimum["score_sd"]]).all()
    assert np.isfinite(surrogate["mean"]).all()


@settings(max_examples=50)
@given(
    st.one_of(
        st.binary(),
        st.sampled_from([b"[" * 100_000, b"9" * 5000, b"Infinity", b"null", b"{}"]),
        st.fixed_dictionaries(
            {},
            optional={
                name: st.one_of(
                    st.integers(), st.floats(), st.text(), st.none(), st.lists(st.none())
                )
                for name in ("processes", "seconds")
            },
        ).map(lambda found: json.dumps(found).encode()),
    )
)
def test_a_damaged_count_of_processes_costs_no_observation(tmp_path, sound, content):
    (tmp_path / "j.csv").write_bytes(sound)
    (tmp_path / "j.json").write_bytes(content)
    journal = Journal(tmp_path / "j.csv", Space(SPACE), "n", 2, tmp_path / "observations.csv")
    with journal:
        assert journal.resumed >= 0
        assert 0 <= journal.seconds < math.inf
        assert len(journal.read()) == 6
    assert (tmp_path / "observations.csv").read_bytes() == sound
