"""What jobs that train have in common, on an object like the one that Snakemake gives them."""

import logging
from pathlib import Path

import numpy as np
import pytest

from rnncells.jobs.errors import UserError
from rnncells.jobs.files import write_array
from rnncells.jobs.locks import release, take
from rnncells.study.plan import resolve
from rnncells.training.job import training_job
from tests.mock import logging_kept, mock_snakemake
from tests.tiny import RUN, configuration

FOLDER = f"runs/{RUN}/seeds=0-1"
SPEC = resolve(configuration())["tiny"].spec("TRNN", 6, "hidden=4", 1).model_dump()
CODES = {"cpu": "a", "cuda": "b"}
STATE = {"made": 3}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Work in a folder with a data set."""
    monkeypatch.chdir(tmp_path)
    Path(FOLDER).mkdir(parents=True)
    write_array("data.npy", np.zeros((5, 60, 2)))
    with logging_kept():
        yield


def started(spec=SPEC, codes=CODES, data="data.npy"):
    axes = {"study": "tiny", "cell": "TRNN", "length": "6", "size": "hidden=4", "layers": "1"}
    inputs = {} if data is None else {"data": data}
    outputs = {"run": f"{FOLDER}/run.json"}
    return training_job(mock_snakemake("train", outputs, inputs, **axes, seeds="0-1"), spec, codes)


def test_a_job_is_alone_in_its_folder_and_says_who_it_is(capsys):
    with started() as job:
        assert job.folder == Path(FOLDER)
        assert job.spec.cell == "TRNN"
        assert job.device.type == "cpu"
        assert take(job.folder / ".lock") is None
        logging.getLogger("rnncells").info("at work")
    name = "[train tiny TRNN length=6 hidden=4 layers=1 seeds=0-1]"
    assert f"{name} at work" in capsys.readouterr().err
    assert "at work" in Path("logs/train.log").read_text()
    release(take(job.folder / ".lock"))


def test_a_mistake_of_the_users_ends_the_job_in_one_line(capsys):
    with pytest.raises(SystemExit) as end, started():
        raise UserError("lengths: 7 is too long")
    assert end.value.code == 1
    assert capsys.readouterr().err.endswith("UserError: lengths: 7 is too long\n")
    assert "Traceback" not in Path("logs/train.log").read_text()
    lock = take(Path(FOLDER) / ".lock")
    assert lock is not None
    release(lock)


def test_the_data_set_is_read_if_there_is_one():
    with started() as job:
        assert job.data().shape == (5, 60, 2)
    with started(data=None) as job:
        assert job.data() is None
    Path("data.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(SystemExit), started() as job:
        job.data()
    assert "data.npy: is damaged" in Path("logs/train.log").read_text()


@pytest.mark.parametrize(
    ("changes", "seeds", "serves"),
    [
        ({}, [0, 1], True),
        ({"codes": {"cpu": "a", "cuda": "c"}}, [0, 1], True),  # of a device that is not used
        ({"codes": {"cpu": "c", "cuda": "b"}}, [0, 1], False),
        ({"spec": SPEC | {"length": 7}}, [0, 1], False),
        ({"data": "other.npy"}, [0, 1], False),
        ({}, [0, 2], False),
    ],
)
def test_a_checkpoint_serves_the_same_training_alone(changes, seeds, serves):
    write_array("other.npy", np.ones((5, 60, 2)))
    with started() as job:
        job.checkpoint(seeds=[0, 1]).save(STATE)
    with started(**changes) as job:
        assert job.checkpoint(seeds=seeds).restore() == (STATE if serves else None)
