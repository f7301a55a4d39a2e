"""What planning imports, and what a task of a user's own can say of its studies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnncells.study.plan import resolve
from rnncells.study.protocol import describe
from rnncells.study.validation import ConfigError

ROOT = Path(__file__).parents[2]


def test_planning_imports_no_pytorch():
    """Importing it takes seconds, in every call of Snakemake."""
    program = (
        "import sys\n"
        "from rnncells.study.plan import resolve\n"
        "from rnncells.study.protocol import describe\n"
        "from rnncells.study.read import read\n"
        "for name, study in resolve(read('config/config.yaml')).items():\n"
        "    describe(name, study)\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


OWN = """
import numpy as np
from pydantic import Field

from rnncells.tasks import DataSource, Published, Task
from rnncells.tasks.settings import BUDGET, File


class Table(DataSource):
    file: File = Field(None, description="A file.")
    rows: int = Field(40, ge=1, description="How many.", json_schema_extra=BUDGET)

    def make(self):
        return np.load(self.file) if self.file else np.zeros((self.rows, 3))

    def files(self):
        return [self.file] if self.file else []


class Own(Task):
    class Settings(Task.Settings):
        rounds: int = Field(100, ge=1, description="Steps.", json_schema_extra=BUDGET)

    Data = Table
    metric, chance, least_length = "hits", 0.5, 3
    search_space = {"k": (1, 60, "integer")}
    published = Published(lengths=(9,), hidden_sizes=(4,), layers=(1,), seeds=2)
    published_optima = OPTIMA

    @classmethod
    def check_plan(cls, lengths, settings, data, cell):
        if settings.rounds > data.rows:
            raise ValueError("training.rounds: too many; allowed: data.rows")

    @classmethod
    def limits(cls, data):
        return {"k": (1, data.rows)}

    def batch(self, step): ...
    def objective(self, batch): ...
    def outcome(self, network, diverged): ...
"""
OPTIMA = "cell,hidden_size,kind,lr,k\nGRU,4,surrogate_optimum,0.02,7\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that resolves a study of the task ``owntask:Own``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "optima.csv").write_text(OPTIMA)
    name = f"owntask_{tmp_path.name}"  # modules stay imported
    (tmp_path / f"{name}.py").write_text(OWN.replace("OPTIMA", repr(str(tmp_path / "optima.csv"))))

    def resolved(**keys):
        study = {
            "task": f"{name}:Own",
            "cells": ["GRU"],
            "lengths": [9],
            "hidden_sizes": [4],
            "seeds": 2,
            "training": {"rounds": 40},
            "hyperparameters": {"values": {"lr": 0.1, "k": 5}},
        }
        return resolve({"studies": {"a": study | keys}}, ROOT / "src/rnncells/published")["a"]

    return resolved


def test_an_own_task_is_planned(own, tmp_path):
    plan = own()
    assert plan.cells["GRU"].hyperparameters == {"hidden=4": {"lr": 0.1, "k": 5}}
    assert plan.spec("GRU", 9, "hidden=4", 1).training.rounds == 40
    assert plan.data.make().shape == (40, 3)
    protocol = describe("a", plan)
    assert (protocol["metric"], protocol["chance"]) == ("hits", 0.5)
    assert protocol["reduced"] == ["40 of 100 rounds"]
    fewer = own(data={"rows": 30}, training={"rounds": 30}, seeds=1, lengths=[5])
    assert describe("a", fewer)["reduced"] == [
        "30 of 100 rounds",
        "30 of 40 rows",
        "lengths 5, not 9",
        "1 of 2 seeds",
    ]
    searched = own(hyperparameters={"source": "search"}).cells["GRU"].search
    assert (searched.space["k"].low, searched.space["k"].high) == (1, 40)
    published = own(hyperparameters={"source": "published"}).cells["GRU"].hyperparameters
    assert published == {"hidden=4": {"lr": 0.02, "k": 7}}
    np.save(tmp_path / "mine.npy", np.ones((2, 3)))
    with_file = own(data={"file": "mine.npy"})
    assert with_file.data.files() == ["mine.npy"]
    assert with_file.data.make().sum() == 6


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"lengths": [2]}, "studies.a.lengths: 2 is too short for "),
        ({"training": {"rounds": 41}}, "studies.a.training.rounds: too many; allowed: data.rows"),
        (
            {"training": {"round": 4}},
            "studies.a.training: unknown key 'round' (did you mean 'rounds'",
        ),
        ({"training": {"rounds": 0}}, "studies.a.training.rounds: 0 is too small"),
        ({"data": {"row": 4}}, "studies.a.data: unknown key 'row' (did you mean 'rows'"),
        ({"data": {"file": "no.npy"}}, "studies.a.data.file: there is no file 'no.npy'"),
        (
            {"hyperparameters": {"values": {"lr": 0.1, "k": 41}}},
            "studies.a.hyperparameters.values.k: 41 is not allowed; it must be within 1 and 40",
        ),
        (
            {"hyperparameters": {"values": {"lr": 0.1, "k": 2.5}}},
            "studies.a.hyperparameters.values.k: 2.5 is not allowed; expected an integer",
        ),
        (
            {"hyperparameters": {"values": {"k": 2}}},
            "studies.a.hyperparameters.values: GRU needs a value for 'lr'",
        ),
        (
            {"training": {"rounds": 4, "readout": "ridge"}, "cells": ["ESN"]},
            "studies.a.training.readout: 'ridge' needs a squared error",
        ),
    ],
)
def test_mistakes_about_an_own_task_are_one_line(own, keys, line):
    with pytest.raises(ConfigError) as caught:
        own(**keys)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("class Own(:", "SyntaxError"),
        ("Own = 3", "is no task"),
        ("class Own: pass", "derived from rnncells.tasks.base.Task"),
    ],
)
def test_an_own_task_that_cannot_be_loaded_is_one_line(tmp_path, monkeypatch, source, fragment):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"broken_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(source)
    study = {"task": f"{name}:Own", "cells": ["GRU"], "lengths": [9], "hidden_sizes": [4]}
    with pytest.raises(ConfigError) as caught:
        resolve({"studies": {"a": study}}, ROOT / "src/rnncells/published")
    assert str(caught.value).startswith("studies.a.task: ")
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)
