"""Results are written whole or not at all, and read whole or refused by name."""

import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from rnncells.jobs.files import (
    DamagedFile,
    read_array,
    read_json,
    read_table,
    refuse_apparent_damage,
    whole,
    write_array,
    write_json,
    write_table,
    write_text,
)
from rnncells.results.costs import gather_costs
from rnncells.search.observations import read_observations

TABLE = pd.DataFrame({"configuration": [0, 1, 2], "score": [0.5, 12.25, 3.125]})


@pytest.mark.parametrize(
    ("name", "write", "read", "content"),
    [
        ("a.parquet", lambda path: write_table(TABLE, path), read_table, TABLE),
        ("a.csv", lambda path: write_table(TABLE, path), read_table, TABLE),
        ("a.json", lambda path: write_json(path, {"x": [1, 2]}), read_json, {"x": [1, 2]}),
        ("a.npy", lambda path: write_array(path, np.arange(5)), read_array, np.arange(5)),
    ],
)
def test_a_file_cut_off_anywhere_is_refused_by_name(tmp_path, name, write, read, content):
    path = tmp_path / name
    write(path)
    assert np.array_equal(read(path), content)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    written = path.read_bytes()
    for size in range(len(written) - 2):
        path.write_bytes(written[:size])
        if name == "a.csv" and path.read_bytes().endswith(b"\n"):
            continue  # whole lines are missing: read_observations compares their number
        with pytest.raises(DamagedFile, match="delete it and give the same command") as error:
            read(path)
        assert str(error.value).startswith(f"{path}: is damaged (")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 ... PAR1"),
        ("a.csv", b"configuration,score\n0,0.5\n"),
        ("a.md", b"# Page\n"),
        ("a.json", b'{"x": 1}\n'),
        ("a.html", b"<!DOCTYPE html>\n</html>\n"),
        ("a.pdf", b"%PDF-1.4 ... %%EOF\n"),
        ("a.png", b"\x89PNG ... IEND\xaeB`\x82"),
    ],
)
def test_an_end_that_is_no_end_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    refuse_apparent_damage(path)
    for cut in (b"", content[:-3], content[:5] + bytes(len(content) - 5)):
        path.write_bytes(cut)
        with pytest.raises(DamagedFile, match="empty" if not cut else "cut off") as error:
            refuse_apparent_damage(path)
        assert str(error.value).startswith(f"{path}: is damaged (")
    with pytest.raises(FileNotFoundError):
        refuse_apparent_damage(tmp_path / f"nothing{path.suffix}")


def test_an_array_of_another_size_than_its_shape_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    write_array(path, np.arange(6.0).reshape(2, 3))
    refuse_apparent_damage(path)
    content = path.read_bytes()
    for size in (0, 3, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedFile):
            refuse_apparent_damage(path)


def test_a_file_that_is_not_there_is_not_damaged(tmp_path):
    for read in (read_table, read_json, read_array):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nothing.parquet")


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 1], [0, 2, 1], [0, 1, 2, 3]])
def test_observations_of_another_number_of_configurations_are_refused(tmp_path, rows):
    path = tmp_path / "observations.csv"
    table = TABLE.assign(diverged=0)
    write_table(table, path)
    pd.testing.assert_frame_equal(read_observations(path, 3, {}), table)
    write_table(pd.DataFrame({"configuration": rows, "score": 1.0, "diverged": 0}), path)
    with pytest.raises(DamagedFile, match="each of the 3 configurations once"):
        read_observations(path, 3, {})


def test_costs_of_a_damaged_provenance_are_refused(tmp_path):
    path = tmp_path / "study/provenance.parquet"
    path.parent.mkdir()
    numbers = {"seconds": [1.5], "processor_seconds": [1.2], "peak_memory_mb": [3.0]}
    write_table(pd.DataFrame({"rule": ["train"]} | numbers), path)
    assert gather_costs([path])["seconds_total"].tolist() == [1.5]
    written = path.read_bytes()
    write_table(pd.DataFrame({"rule": ["train"], "seconds": [1.5]}), path)
    for content in (b"", written[:-1], path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(DamagedFile, match=r"provenance\.parquet: is damaged"):
            gather_costs([path])


def test_json_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps([1, 2]))
    with pytest.raises(DamagedFile):
        read_json(path)


def test_a_file_is_whole_or_as_it_was(tmp_path):
    file = tmp_path / "table [1].csv"
    write_text(file, "old")
    with suppress(ZeroDivisionError), whole(file) as part:
        part.write_text("ne")
        assert part.suffix == ".csv"
        assert file.read_text() == "old"
        raise ZeroDivisionError
    assert file.read_text() == "old"
    file.with_name(".table [1].csv.00ff.part.csv").write_text("left by a killed process")
    write_text(file, "new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]
