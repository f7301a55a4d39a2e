"""How seeds are cut into jobs, and their names."""

from pathlib import Path

import pytest

from rnncells.study.seeds import chunks, label, parse

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([0], "0"), ([0, 1, 2], "0-2"), ([9, 3, 7, 8], "3+7-9"), ([1, 3], "1+3")],
)
def test_labels_name_seeds(seeds, text):
    assert label(seeds) == text
    assert parse(text) == sorted(seeds)


@pytest.mark.parametrize(
    "text", ["", "a", "2-1", "1+2", "0-", "01", "0-99999999999", "1" * 5000, "0-1+" * 50, "-1"]
)
def test_other_texts_are_no_labels(text):
    with pytest.raises(ValueError, match=r"seeds|int"):
        parse(text)


def test_new_seeds_are_new_jobs_and_old_jobs_stay():
    assert chunks(range(7), 3) == ["0-2", "3-5", "6"]
    assert chunks(range(9), 3, ["0-2", "3-4"]) == ["0-2", "3-4", "5-7", "8"]
    assert chunks([0, 1], 3, ["0-2"]) == ["0-1"]  # a job with a seed too many is not used
    assert chunks(range(4), 2, ["0-1", "1-2", "x"]) == ["0-1", "2-3"]
    assert chunks([5, 1], 1) == ["1", "5"]
    with pytest.raises(ValueError, match="seeds_per_job"):
        chunks(range(0, 200, 2), 100)
    assert len(chunks(range(0, 200, 2), 40)) == 3


def test_planning_is_stable_while_jobs_finish():
    planned = chunks([3, 9, 1, 0, 2, 7], 2)
    for done in range(len(planned) + 1):
        assert chunks([3, 9, 1, 0, 2, 7], 2, planned[:done]) == planned
    assert chunks(range(12), 1, ["11", "2", "10"]) == [str(seed) for seed in range(12)]
