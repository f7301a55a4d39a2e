"""Whatever a trajectory file holds: it is read as it is, or refused in one line; nothing runs."""

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnncells.tasks import trajectories
from rnncells.tasks.trajectories import DataError, load

SMALL = np.random.default_rng(0).standard_normal((2, 3, 2))


def as_npy(data) -> bytes:
    file = io.BytesIO()
    np.save(file, data)
    return file.getvalue()


def as_npz(data) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, data)
    return file.getvalue()


WRITERS = {"npy": as_npy, "npz": as_npz} | {
    f"pickle {protocol}": lambda data, protocol=protocol: pickle.dumps(data, protocol)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}


def outcome(folder: Path, content: bytes) -> np.ndarray | str:
    """Load a file of this content; give back the array, or the line that refuses it."""
    file = folder / "data"
    file.write_bytes(content)
    try:
        data = load(file)
    except DataError as error:
        line = str(error)
        assert line.isprintable()
        assert line.startswith(f"{file}: ")
        assert len(line) < len(str(file)) + 400
        return line
    assert data.dtype == np.float64
    assert data.ndim == 3
    assert data.shape[2] == 2
    assert data.size > 0
    assert np.isfinite(data).all()
    return data


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path, writer):
    content = WRITERS[writer](SMALL)
    for length in range(len(content)):
        assert isinstance(outcome(tmp_path, content[:length]), str)
    np.testing.assert_array_equal(outcome(tmp_path, content), SMALL)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_flipped_bit_never_ends_in_anything_but_an_array_or_a_line(tmp_path, writer):
    content = WRITERS[writer](SMALL)
    for place in range(0, 8 * len(content), 13):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        outcome(tmp_path, bytes(flipped))


# What pickle.loads would do to the process or to the memory, in a few bytes.
DEEP = b"\x80\x02" + b")" + b"\x85" * 2_000_000
BOMBS = {
    "six bytes fill 32 GB with an empty memo": b"\x80\x02Nr\xfe\xff\xff\x7f.",
    "a deep tuple as a key overflows the stack": b"\x80\x02}" + DEEP[2:] + b"Ns.",
    "a deep tuple": DEEP + b".",
    "deep marks": b"\x80\x02" + b"(" * 2_000_000 + b".",
    "an endless program": b"\x80\x02" + b"N0" * 2_000_000 + b".",
    "a string of 2 GB that is not there": b"\x80\x02X\xff\xff\xff\x7f.",
    "bytes of 2^62 that are not there": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
    "a frame of 2^62": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "a number of ten million digits": b"I" + b"9" * 10_000_000 + b"\n.",
    "a long of a million bytes": b"\x80\x02\x8b\x40\x42\x0f\x00" + b"\xff" * 1_000_000 + b".",
    "an array of 10^12 numbers": b"cnumpy\nndarray\n((I1000000\nI1000000\nttR.",
    "a reconstructed array of 10^12 numbers": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000\nI1000000\ntS'b'\ntR."
    ),
    "a state set on NumPy's function": (
        b"cnumpy.core.numeric\n_frombuffer\n(N}S'__defaults__'\n(tstb."
    ),
    "a state set on the class of types": b"cnumpy\ndtype\n(I3\nS'<'\ntb.",
    "a state for a number": b"I1\n(I1\ntb.",
    "nothing to call": b"(tR.",
    "a number is called": b"I1\n(tR.",
    "nothing remembered": b"g7\n.",
    "a name from a number": b"\x80\x04I1\nI2\n\x93.",
    "an unknown protocol": b"\x80\xff.",
    "a persistent object": b"Psome\n.",
    "a registered extension": b"\x82\x01.",
    "an instance": b"(ios\nmkdir\n.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_pickles_that_attack_the_unpickler(tmp_path, name):
    assert isinstance(outcome(tmp_path, BOMBS[name]), str)


def test_bombs_cost_little_memory(tmp_path):
    """In a process of its own, whose memory is measured."""
    for number, content in enumerate(BOMBS.values()):
        (tmp_path / f"{number}").write_bytes(content)
    header = as_npy(np.zeros((2, 3, 2))).replace(b"(2, 3, 2), }", b"(99999999, 99, 2), }")
    (tmp_path / "huge.npy").write_bytes(header)
    script = """
import resource, sys
from pathlib import Path
from rnncells.tasks.trajectories import DataError, load
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for file in Path(sys.argv[1]).iterdir():
    try:
        load(file)
    except DataError:
        continue
    sys.exit(f"{file} was accepted")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1000)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200  # MB; the largest file has 10


def test_what_is_unpacked_or_converted_is_counted_before(tmp_path, monkeypatch):
    monkeypatch.setattr(trajectories, "LARGEST", 10**6)
    zeros = np.zeros((10**5, 1, 2))
    packed = as_npz(zeros)
    assert len(packed) < 10**4
    for content in (packed, as_npy(zeros), pickle.dumps(zeros)):
        assert "bytes; allowed: 1,000,000" in outcome(tmp_path, content)
    bits = zeros.astype("u1")
    assert "numbers; allowed: 125,000" in outcome(tmp_path, as_npy(bits))


@st.composite
def mutated(draw) -> bytes:
    """Cut, repeat, swap and overwrite pieces of pickled arrays."""
    content = bytearray(WRITERS[draw(st.sampled_from(sorted(WRITERS)))](SMALL))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 20))
        content[at : at + length] = draw(st.binary(max_size=20))
    return bytes(content)


@settings(max_examples=150)
@given(st.one_of(st.binary(), mutated()))
@example(b"")
@example(b"PK\x03\x04")
@example(b"\x93NUMPY")
def test_junk_is_refused_in_one_line(tmp_path, content):
    outcome(tmp_path, content)


INSTRUCTIONS = [
    b"(", b"t", b")", b"\x85", b"\x86", b"\x87", b"R", b"b", b"N", b"\x88", b"\x89", b"0", b"2",
    b"q\x00", b"h\x00", b"\x94", b"K\x03", b"]", b"}", b"a", b"s", b"C\x08abcdefgh", b"U\x02f8",
    b"X\x02\x00\x00\x00O8", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n",
    b"cnumpy._core.multiarray\n_reconstruct\n", b"cnumpy._core.numeric\n_frombuffer\n",
    b"cos\nmkdir\n", b"X\x08\x00\x00\x00executed", b"\x93", b"1", b"o", b"\x81",
]  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.sampled_from(INSTRUCTIONS), max_size=30).map(b"".join))
def test_any_program_is_refused_in_one_line_and_nothing_runs(tmp_path, program):
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        outcome(tmp_path, b"\x80\x04" + program + b".")
    finally:
        os.chdir(before)
    assert not (tmp_path / "executed").exists()


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(WRITERS)),
    st.sampled_from(["f2", "f4", "f8", ">f8", "i1", "u2", ">i4", "u8"]),
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(2)),
    st.sampled_from("CF"),
    st.booleans(),
)
def test_every_array_of_numbers_is_read_as_it_is(tmp_path, writer, kind, shape, order, sliced):
    data = (100 * np.random.default_rng(1).random(shape)).astype(kind)
    data = np.asarray(data, order=order)
    data = data[::2] if sliced else data
    loaded = outcome(tmp_path, WRITERS[writer](data))
    np.testing.assert_array_equal(loaded, data.astype(float))


OTHERS = {
    "NaN": np.where(np.arange(12).reshape(2, 3, 2) == 7, np.nan, SMALL),
    "infinite": SMALL.astype(np.longdouble) * np.longdouble("1e4000"),
    "empty": SMALL[:0],
    "ragged": np.array([[1, 2], [3]], dtype=object),
    "objects": SMALL.astype(object),
    "structured": np.zeros((2, 3, 2), dtype=[("x", "f8"), ("y", "f8")]),
    "complex": SMALL * 1j,
    "dates": np.zeros((2, 3, 2), "M8[s]"),
    "text": np.full((2, 3, 2), "x"),
    "a number": np.array(1.0),
    "many axes": np.zeros((1,) * 30 + (2,)),
    "masked": np.ma.masked_array(SMALL, SMALL > 0),
    "scalar": np.float64(1.0),
    "list": [[[0.1, 0.2]]],
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("writer", ["npy", "npz", "pickle 2", "pickle 5"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_things_are_refused(tmp_path, writer, name):
    if name == "list" and writer in ("npy", "npz"):
        return  # NumPy writes it as an array
    if name == "masked" and writer in ("npy", "npz"):
        return
    assert isinstance(outcome(tmp_path, WRITERS[writer](OTHERS[name])), str)


def test_python_2_wrote_bytes_as_text(tmp_path):
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b"
        b"\x87Rq\x03(K\x01K\x01K\x01K\x02\x87cnumpy\ndtype\nq\x04U\x02f8K\x00K\x01\x87Rq\x05(K\x03"
        b"U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        + np.array([0.5, -0.25]).tobytes()
        + b"tb."
    )
    np.testing.assert_array_equal(outcome(tmp_path, content), [[[0.5, -0.25]]])


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", "/dev/zero"):
        with pytest.raises(DataError, match="no such file"):
            load(path)


def test_archives_of_other_things(tmp_path):
    def archive(**members) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            for name, content in members.items():
                made.writestr(name, content)
        return file.getvalue()

    assert "2 arrays" in outcome(tmp_path, archive(a=as_npy(SMALL), b=as_npy(SMALL)))
    assert "bytes" in outcome(tmp_path, archive(a=b"text"))
    objects = as_npy(SMALL.astype(object))
    assert "allow_pickle" in outcome(tmp_path, archive(a=objects))
