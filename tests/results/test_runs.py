"""The files of a run and of a search's optimum."""

from pathlib import Path

import pytest

from rnncells.jobs.files import DamagedFile
from rnncells.results.runs import read_optimum

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        ("{}", "'values'"),
        ('{"values": {}}', "its values are {}"),
        ('{"values": {"lr": NaN}}', "nan"),
        ('{"values": {"lr": "fast"}}', "str"),
        ('{"values": 3}', "int"),
    ],
)
def test_a_damaged_optimum_is_refused_by_its_name(tmp_path, content, fragment):
    file = tmp_path / "optimum.json"
    file.write_text('{"values": {"p": 3, "lr": 0.1}}')
    assert read_optimum(file) == {"p": 3, "lr": 0.1}
    file.write_text(content)
    with pytest.raises(DamagedFile, match=f"^{file}: is damaged .*{fragment}"):
        read_optimum(file)
