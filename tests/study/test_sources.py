"""Which source files a result depends on."""

from pathlib import Path

from rnncells.study.sources import depends_on

ROOT = Path(__file__).parents[2]


def test_results_depend_on_the_files_that_they_import():
    files = {Path(file).name for file in depends_on("rnncells.cells.esn")}
    assert files >= {"esn.py", "base.py", "initial.py"}
    assert "leaky.py" in {Path(file).name for file in depends_on("rnncells.cells.predictive")}
    training = {Path(file).name for file in depends_on("rnncells.training.loop")}
    assert {"loop.py", "rnn.py", "streams.py", "adam.py"} <= training
    assert not training & {"gru.py", "capacity.py", "optimum.py", "binary_addition.py"}


def test_a_users_cell_depends_on_its_neighbours(tmp_path, monkeypatch):
    sources = {
        "mine/cells.py": "import torch, beside\nfrom . import near\nfrom rnncells import Cell",
        "mine/near.py": "from .deep.far import x",
        "mine/deep/far.py": "from ..last import y",
        "mine/last.py": "import mine.cells, mine.wrong",
        "mine/wrong.py": "def (",
        "mine/other.py": "",
        "beside.py": "import json",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.chdir(tmp_path)
    found = list(map(Path, depends_on("mine.cells")))
    others = {file.parent.name for file in found if file.is_absolute()}
    assert {str(file) for file in found if not file.is_absolute()} == {*sources} - {"mine/other.py"}
    assert others <= {"rnncells"}
