"""What jobs cost."""

from pathlib import Path

import pandas as pd

from rnncells.jobs.files import write_table
from rnncells.results.costs import gather_costs

ROOT = Path(__file__).parents[2]


def test_costs_are_added_up_per_study_and_rule(tmp_path):
    jobs = [("train", 2.0, 100), ("search", 5.0, 50), ("train", 4.0, 300), ("train", 9.0, 200)]
    files = []
    for study, few in (("s", jobs), ("t", jobs[:1])):
        files.append(tmp_path / f"{study}/provenance.parquet")
        files[-1].parent.mkdir()
        table = pd.DataFrame(few, columns=["rule", "seconds", "peak_memory_mb"])
        write_table(table, files[-1])
    costs = gather_costs(files).set_index(["study", "rule"])
    assert costs["jobs"].to_dict() == {("s", "search"): 1, ("s", "train"): 3, ("t", "train"): 1}
    row = costs.loc["s", "train"]
    assert (row["seconds_total"], row["seconds_median"], row["seconds_max"]) == (15, 4, 9)
    assert row["memory_mb_max"] == 300
