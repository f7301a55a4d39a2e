"""Tables of many runs."""

from pathlib import Path

import pandas as pd

from rnncells.results.tables import gather_tables

ROOT = Path(__file__).parents[2]


def test_axes_come_from_the_path(tmp_path):
    file = tmp_path / "cell=PC-RNN-V/length=7/hidden=3/layers=2/seeds=0-1/metrics.parquet"
    file.parent.mkdir(parents=True)
    pd.DataFrame({"seed": [0, 1], "value": [1.0, 2.0]}).to_parquet(file)
    table = gather_tables([file])
    assert table.iloc[1].tolist() == ["PC-RNN-V", 7, 3, 2, 1, 2.0]
