"""Whatever a checkpoint holds: a training goes on from it, or says in one line why it does not."""

import hashlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncells.jobs.interruption import Interrupted
from rnncells.training import loop as training
from rnncells.training.checkpoint import Checkpoint
from tests import tiny

IDENTITY = {"cell": "GRU", "seeds": [0, 1]}


def train(checkpoint=None):
    members = [{"lr": 0.01}, {"lr": 0.02}]
    settings = {"train_sequences": 20, "test_sequences": 4, "batch_size": 10, "epochs": 3}
    return tiny.run(
        "copy_first_input",
        "GRU",
        (0, 1),
        members,
        length=2,
        hidden_size=3,
        checkpoint=checkpoint,
        **settings,
    )


class Stopping(Checkpoint):
    """Ends a training after three of its six steps."""

    left = 3

    def due(self):
        self.left -= 1
        return self.left == 0

    def save(self, state):
        super().save(state)
        raise Interrupted(15)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def expected():
    """The result of the training that nothing happens to."""
    return train()


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """A sound checkpoint after three steps."""
    path = tmp_path_factory.mktemp("sound") / ".checkpoint"
    with pytest.raises(Interrupted):
        train(Stopping(path, IDENTITY))
    return path.read_bytes()


@pytest.fixture
def outcome(tmp_path, caplog, expected):
    """Train beside a checkpoint of some content; give back why it was ignored, if it was."""

    def check(content: bytes) -> str | None:
        path = tmp_path / ".checkpoint"
        path.write_bytes(content)
        caplog.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training.logger, "disabled", True)  # it tells of the progress
            result = train(Checkpoint(path, IDENTITY))
        # Nothing that was refused has left a trace; and what was taken goes on to the end.
        assert result.steps.tolist() == [6, 6]
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == (0 if result.resumed else 1)
        if not lines:
            return None
        np.testing.assert_array_equal(result.score, expected.score)
        (line,) = lines
        start = f"checkpoint {path} ignored because it "
        assert line.startswith(start)
        assert line.isprintable()
        assert len(line) < len(start) + 300
        return line.removeprefix(start)

    return check


def signed(payload: bytes, **header: object) -> bytes:
    """Return a checkpoint of any payload, with the right size and checksum."""
    versions = {"torch": torch.__version__, "numpy": np.__version__}
    made = Checkpoint("", IDENTITY)
    assert set(made.identity) == {*IDENTITY, *versions}
    first = {
        "checkpoint": 1,
        "identity": made.identity,
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    return json.dumps(first | header).encode() + b"\n" + payload


def payload_of(content: bytes) -> bytes:
    return content.split(b"\n", 1)[1]


def test_a_sound_checkpoint_is_used(outcome, content):
    assert outcome(content) is None
    assert outcome(signed(payload_of(content))) is None


@settings(max_examples=60)
@given(st.data())
def test_a_flipped_bit_or_a_cut_is_noticed(outcome, content, data):
    cut = data.draw(st.integers(0, len(content) - 1))
    assert outcome(content[:cut])
    # The first line is short beside the rest, and half of the flips should hit it.
    ends = [8 * len(content), 8 * content.index(b"\n")]
    flip = data.draw(st.integers(0, data.draw(st.sampled_from(ends)) - 1))
    flipped = bytearray(content)
    flipped[flip // 8] ^= 1 << flip % 8
    assert outcome(bytes(flipped))


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=400),
        st.just(10**400),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=40)
@given(st.sampled_from(["checkpoint", "identity", "bytes", "sha256"]), JSON)
def test_any_first_line_is_read_or_refused(outcome, content, key, value):
    refused = outcome(signed(payload_of(content), **{key: value}))
    assert refused or (key, value) == ("checkpoint", 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cell": "LSTM"}, "was made with other cell"),
        ({"seeds": [1, 2]}, "was made with other seeds"),
        ({"torch": "1.0"}, "was made with other torch"),
        ({"x" * 90_000: ""}, "was made with other xxx"),
        ({"a\nb\x1b[2J": ""}, r"was made with other a b\x1b[2J"),
    ],
)
def test_a_foreign_one_is_refused_by_what_differs(outcome, content, change, reason):
    identity = Checkpoint("", IDENTITY).identity | change
    assert reason in outcome(signed(payload_of(content), identity=identity))


# What has a right checksum was made on purpose.


@settings(max_examples=60)
@given(st.data())
def test_a_payload_of_anything_is_refused(outcome, content, data):
    payload = bytearray(payload_of(content))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload)))
        payload[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    outcome(signed(bytes(payload)))
    assert outcome(signed(data.draw(st.binary())))


STRANGE = st.one_of(
    st.sampled_from(
        [
            None, True, -1, 4, 7, 10**30, 2.5, -2.5, float("nan"), float("inf"), "3", b"3", [], {},
            [(1, 2)], [(1, {"test_mse": torch.zeros(3).double()}, torch.ones(2) > 0)],
            [(10**30, {}, torch.ones(2) > 0)], [(1, {1: torch.zeros(2).double()}, torch.ones(2))],
            torch.zeros(()), torch.zeros(2), torch.zeros(2, 6), torch.zeros(1, dtype=torch.int64),
            torch.full((1,), 9), torch.full((2,), -1), torch.full((2,), 7),
            torch.zeros(2, 6).to_sparse(), torch.zeros(2, 6, device="meta"),
            torch.zeros(2, 6, dtype=torch.complex64),
        ]
    ),
)  # fmt: skip


@settings(max_examples=80)
@given(st.data())
def test_a_state_with_a_strange_part_is_used_or_refused_as_a_whole(outcome, content, data):
    state = torch.load(io.BytesIO(payload_of(content)), weights_only=True)
    place = data.draw(st.sampled_from([state, state["tensors"]]))
    key, value = data.draw(st.sampled_from(sorted(place))), data.draw(STRANGE)
    if value is None:
        del place[key]
    else:
        place[key] = value
    payload = io.BytesIO()
    torch.save(state, payload)
    outcome(signed(payload.getvalue()))


class Malicious:
    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def zipped(pickled: bytes) -> bytes:
    """Return a pickle in the archive that PyTorch makes of a state."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/byteorder", b"little")
    return file.getvalue()


PICKLES = {
    "a call": lambda path: pickle.dumps(Malicious(path)),
    "a call, protocol 2": lambda path: pickle.dumps(Malicious(path), 2),
    "a call inside a state": lambda path: pickle.dumps({"made": 3, "tensors": Malicious(path)}, 2),
    "a call by its name": lambda path: b"cos\nmkdir\n(V" + str(path).encode() + b"\ntR.",
    "an instance": lambda path: b"(V" + str(path).encode() + b"\nios\nmkdir\n.",
    "a deep tuple": lambda path: b"\x80\x02)" + b"\x85" * 1_000_000 + b".",
    "an empty memo": lambda path: b"\x80\x02Nr\xfe\xff\xff\x7f.",
    "a text that is not there": lambda path: b"\x80\x02X\xff\xff\xff\x7f.",
    "no end": lambda path: b"\x80\x02" + b"N0" * 100_000,
}


@pytest.mark.parametrize("form", [bytes, zipped])
@pytest.mark.parametrize("name", PICKLES)
def test_nothing_in_a_checkpoint_is_executed(outcome, tmp_path, name, form):
    executed = tmp_path / "executed"
    assert outcome(signed(form(PICKLES[name](executed)))).startswith("is damaged")
    assert not executed.exists()


def test_what_is_no_file_is_ignored(tmp_path, caplog, expected):
    path = tmp_path / ".checkpoint"
    os.mkfifo(path)
    result = train(Checkpoint(path, IDENTITY))
    np.testing.assert_array_equal(result.score, expected.score)
    assert f"checkpoint {path} ignored because it is no file" in caplog.text


def test_a_folder_of_its_name_costs_no_training(tmp_path, caplog, expected):
    checkpoint = Checkpoint(tmp_path / ".checkpoint", IDENTITY, seconds=0)
    checkpoint.path.mkdir()
    result = train(checkpoint)
    checkpoint.remove()
    np.testing.assert_array_equal(result.score, expected.score)
    for line in ("ignored because it is no file", "no new checkpoint", "cannot be removed"):
        assert line in caplog.text
    assert list(tmp_path.iterdir()) == [checkpoint.path]


def test_a_compressed_one_is_not_unpacked(outcome, content):
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(payload_of(content))) as before,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, before.read(name))
    assert outcome(signed(packed.getvalue())) == "is compressed"
