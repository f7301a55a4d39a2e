"""What jobs cost."""

from pathlib import Path

import pandas as pd
import pytest

from rnncells.jobs.files import write_table
from rnncells.results.costs import gather_costs

ROOT = Path(__file__).parents[2]


def test_costs_are_added_up_per_study_and_rule(tmp_path):
    nan = float("nan")  # a record of an older version
    jobs = [
        ("train", 2.0, 1.8, 100),
        ("search", 5.0, nan, 50),
        ("train", 4.0, nan, 300),
        ("train", 9.0, 5.4, 200),
    ]
    files = []
    for study, few in (("s", jobs), ("t", jobs[:1])):
        files.append(tmp_path / f"{study}/provenance.parquet")
        files[-1].parent.mkdir()
        columns = ["rule", "seconds", "processor_seconds", "peak_memory_mb"]
        write_table(pd.DataFrame(few, columns=columns), files[-1])
    costs = gather_costs(files).set_index(["study", "rule"])
    assert costs["jobs"].to_dict() == {("s", "search"): 1, ("s", "train"): 3, ("t", "train"): 1}
    row = costs.loc["s", "train"]
    assert (row["seconds_total"], row["seconds_median"], row["seconds_max"]) == (15, 4, 9)
    assert row["memory_mb_max"] == 300
    assert row["core_hours"] == pytest.approx(7.2 / 3600)
    assert pd.isna(costs.loc[("s", "search"), "core_hours"])
