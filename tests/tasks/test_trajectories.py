"""The synthetic trajectories, and what the reader of a user's file takes and refuses."""

import os
import pickle

import numpy as np
import pytest

from rnncells.study.models import RunSpec
from rnncells.tasks.trajectories import DataError, Trajectories, load, synthetic
from rnncells.training.loop import train

DATA = np.random.default_rng(0).standard_normal((3, 8, 2))


def test_synthetic_shape_bounds_and_seeds():
    data = synthetic(20, 300, seed=1)
    assert data.shape == (20, 300, 2)
    assert data.dtype == np.float64
    assert 1.1 < np.abs(data).max() <= 1.2 + 1e-12
    assert np.array_equal(data, synthetic(20, 300, seed=1))
    assert np.array_equal(data[:5], synthetic(5, 300, seed=1))
    assert not np.allclose(data, synthetic(20, 300, seed=2))
    assert not np.allclose(data[0], data[1])


def test_synthetic_points_are_evenly_spread():
    """The same trajectory with more points, thinned, is the trajectory with fewer points."""
    fine, coarse = synthetic(4, 601, seed=3), synthetic(4, 301, seed=3)
    np.testing.assert_allclose(fine[:, ::2], coarse, atol=1e-12)


def test_synthetic_coordinates_follow_the_law():
    ends = synthetic(1500, 2, seed=0).ravel()  # with two points: the first and last via-point
    inside = np.abs(ends) < 1.2
    assert np.mean(inside) == pytest.approx(0.9836, abs=0.01)  # of N(0, 0.5), 2.4 deviations
    assert ends[inside].std() == pytest.approx(0.473, abs=0.015)


def strokes(trajectory):
    """Cut a fine trajectory where it stops."""
    speed = np.linalg.norm(np.diff(trajectory, axis=0), axis=1)
    slow = (speed[1:-1] < speed[:-2]) & (speed[1:-1] <= speed[2:]) & (speed[1:-1] < 1e-6)
    return np.split(trajectory, np.flatnonzero(slow) + 2)


@pytest.mark.parametrize("seed", range(4))
def test_synthetic_strokes_are_straight_minimum_jerks(seed):
    (trajectory,) = synthetic(1, 200_000, seed)
    pieces = strokes(trajectory)
    assert 19 <= len(pieces) <= 31
    for piece in pieces:
        along = piece[-1] - piece[0]
        length = np.linalg.norm(along)
        progress = (piece - piece[0]) @ along / length**2
        u = np.linspace(0, 1, len(piece))
        expected = 10 * u**3 - 15 * u**4 + 6 * u**5
        # Cutting at a sample, not at the very stop, costs a little.
        np.testing.assert_allclose(progress, expected, atol=0.01)
        straight = piece[0] + progress[:, None] * along
        np.testing.assert_allclose(piece, straight, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_synthetic_stroke_durations(seed):
    """Up to one common factor, a duration is length^0.6 U(0.6, 1.4) + 0.1."""
    pieces = strokes(*synthetic(1, 200_000, seed))
    reach = np.array([np.linalg.norm(piece[-1] - piece[0]) ** 0.6 for piece in pieces])
    duration = np.array([len(piece) for piece in pieces])
    factor = max((0.6 * reach + 0.1) / duration), min((1.4 * reach + 0.1) / duration)
    assert factor[0] <= 1.001 * factor[1]


def test_number_of_via_points():
    (trajectory,) = synthetic(1, 50_000, seed=0, via_points=(4, 4))
    assert len(strokes(trajectory)) == 3


# Files


def as_old_numpy(pickled: bytes) -> bytes:
    """Rename NumPy's private module to the name it had before NumPy 2."""
    if pickled[2:3] == b"\x95":  # a frame would have to know its new length, and it may be left out
        pickled = pickled[:2] + pickled[11:]
    old = pickled.replace(b"cnumpy._core.", b"cnumpy.core.")
    for name in (b"numpy._core.multiarray", b"numpy._core.numeric"):
        short = name.replace(b"_core", b"core")
        old = old.replace(b"\x8c%c%s" % (len(name), name), b"\x8c%c%s" % (len(short), short))
    assert b"numpy.core" in old
    assert b"numpy._core" not in old
    return old


def test_npy_and_npz(tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    np.savez(tmp_path / "b.npz", DATA)
    np.savez_compressed(tmp_path / "c.npz", anything=DATA)
    for name in ("a.npy", "b.npz", "c.npz"):
        np.testing.assert_array_equal(load(tmp_path / name), DATA)
    np.testing.assert_array_equal(load(str(tmp_path / "a.npy")), DATA)


@pytest.mark.parametrize("rename", [bytes, as_old_numpy])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_arrays(tmp_path, protocol, order, rename):
    file = tmp_path / "data.pkl"
    file.write_bytes(rename(pickle.dumps(np.asarray(DATA, order=order), protocol)))
    np.testing.assert_array_equal(load(file), DATA)


def test_python_2_wrote_bytes_as_text(tmp_path):
    file = tmp_path / "data.pkl"
    file.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b"
        b"\x87Rq\x03(K\x01K\x01K\x01K\x02\x87cnumpy\ndtype\nq\x04U\x02f8K\x00K\x01\x87Rq\x05(K\x03"
        b"U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        + np.array([0.5, -0.25]).tobytes()
        + b"tb."
    )
    np.testing.assert_array_equal(load(file), [[[0.5, -0.25]]])


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i8", "u1"])
def test_number_types(tmp_path, dtype):
    data = np.abs(10 * DATA).astype(dtype)
    file = tmp_path / "data.pkl"
    file.write_bytes(pickle.dumps(data))
    loaded = load(file)
    assert loaded.dtype == np.dtype("float64")
    np.testing.assert_array_equal(loaded, data)


def refusal(file) -> str:
    """Return why a file is refused; the message is one line that names the file."""
    with pytest.raises(DataError) as caught:
        load(file)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message


WITH_NAN = np.where(np.arange(DATA.size).reshape(DATA.shape) == 5, np.nan, DATA)


@pytest.mark.parametrize("suffix", ["npy", "pkl"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DATA[0], "shape"),
        (DATA[None], "shape"),
        (np.concatenate([DATA, DATA], -1), "coordinates seem to be on another axis"),
        (DATA.transpose(2, 0, 1), "(trajectories, points, coordinates), got (2, 3, 8)"),
        (np.zeros((3, 8, 2)), "all its numbers are 0"),
        (DATA[:0], "shape"),
        (DATA[:, :0], "shape"),
        (WITH_NAN, "NaN"),
        (DATA * np.inf, "infinite"),
        (DATA.astype(complex), "complex"),
        (DATA > 0, "bool"),
        (DATA.astype("U8"), "dtype"),
    ],
)
def test_arrays_that_are_no_trajectories(tmp_path, data, words, suffix):
    file = tmp_path / f"data.{suffix}"
    file.write_bytes(pickle.dumps(data))
    if suffix == "npy":
        np.save(file, data)
    assert words in refusal(file)


def test_object_arrays(tmp_path):
    objects = DATA.astype(object)
    for name, write in (
        ("a.pkl", lambda file: file.write_bytes(pickle.dumps(objects))),
        ("a.npy", lambda file: np.save(file, objects)),
        ("a.npz", lambda file: np.savez(file, objects)),
    ):
        write(tmp_path / name)
        refusal(tmp_path / name)


@pytest.mark.parametrize("thing", [[1.0, 2.0], {"data": [1]}, 3.0, None, "text"])
def test_pickles_of_something_else(tmp_path, thing):
    file = tmp_path / "data.pkl"
    file.write_bytes(pickle.dumps(thing))
    assert type(thing).__name__ in refusal(file)


class Command:
    """Something that runs a command when it is unpickled without care."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


class System(Command):
    def __reduce__(self):
        return os.system, (f"mkdir {self.mark}",)


@pytest.mark.parametrize("kind", [Command, System])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [lambda thing: thing, lambda thing: [DATA, thing], np.array])
def test_pickles_that_run_something(tmp_path, kind, protocol, wrap):
    mark, file = tmp_path / "ran", tmp_path / "data.pkl"
    pickled = pickle.dumps(wrap(kind(mark)), protocol)
    file.write_bytes(pickled)
    assert "only NumPy arrays" in refusal(file)
    assert not mark.exists()
    pickle.loads(pickled)  # with the plain unpickler it does run
    assert mark.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
        b"c_codecs\nencode\n(S'x'\nS'idna'\ntR.",
        b"\x80\x04\x8c\x04o\ns\n\x8c\x06system\x93.",
    ],
)
def test_imports_of_other_names(tmp_path, pickled):
    file = tmp_path / "data.pkl"
    file.write_bytes(pickled)
    refusal(file)


@pytest.mark.parametrize("suffix", ["npy", "npz", "pkl"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98])
def test_truncated_files(tmp_path, suffix, share):
    whole = tmp_path / f"whole.{suffix}"
    {
        "npy": lambda: np.save(whole, DATA),
        "npz": lambda: np.savez(whole, DATA),
        "pkl": lambda: whole.write_bytes(pickle.dumps(DATA)),
    }[suffix]()
    content = whole.read_bytes()
    file = tmp_path / f"cut.{suffix}"
    file.write_bytes(content[: int(share * len(content))])
    refusal(file)


def test_files_of_another_kind(tmp_path):
    text = tmp_path / "data.txt"
    text.write_text("0.1 0.2\n0.3 0.4\n" * 20)
    assert "is a text file; expected an array (trajectories, points, " in refusal(text)
    text.rename(tmp_path / "data.npy")
    assert "is a text file" in refusal(tmp_path / "data.npy")
    assert "no such file" in refusal(tmp_path / "missing.npy")
    refusal(tmp_path)
    np.savez(tmp_path / "two.npz", a=DATA, b=DATA)
    assert "2 arrays" in refusal(tmp_path / "two.npz")


# The data set of a study


@pytest.mark.parametrize("coordinates", [1, 2, 3, 5])
def test_any_number_of_coordinates(tmp_path, coordinates):
    data = np.random.default_rng(0).standard_normal((9, 8, coordinates))
    np.save(tmp_path / "data.npy", data)
    source = Trajectories(file=str(tmp_path / "data.npy"), scale=0.5)
    assert source.shape() == (9, 8, coordinates)
    np.testing.assert_array_equal(source.make(), 0.5 * data)


@pytest.mark.parametrize("write", [np.save, np.savez, lambda path, data: data.dump(path)])
def test_the_shape_of_a_file_is_known_without_its_numbers(tmp_path, write):
    write(tmp_path / "data.npy", DATA)
    (file,) = tmp_path.iterdir()
    assert Trajectories(file=str(file)).shape() == (3, 8, 2)
    np.save(file.with_suffix(".npy"), DATA[:2, :5])
    assert Trajectories(file=str(file.with_suffix(".npy"))).shape() == (2, 5, 2)


def test_a_file_without_trajectories_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "data.npy").write_text("0.1 0.2\n")
    with pytest.raises(ValueError, match=r"data\.npy: is a text file"):
        Trajectories(file=str(tmp_path / "data.npy"))


def test_the_log_says_the_range_and_axes_that_look_swapped(tmp_path, caplog):
    caplog.set_level("INFO")
    np.save(tmp_path / "data.npy", 100 * synthetic(20, 30, seed=0))
    Trajectories(file=str(tmp_path / "data.npy"), scale=0.5).make()
    assert "20 trajectories of 30 points with 2 coordinates, from -6" in caplog.text
    assert "is the order of the axes" not in caplog.text
    np.save(tmp_path / "swapped.npy", synthetic(20, 300, seed=0).swapaxes(0, 1))
    Trajectories(file=str(tmp_path / "swapped.npy")).make()
    assert "is the order of the axes (trajectories, points, coordinates)?" in caplog.text


@pytest.mark.parametrize("coordinates", [1, 3])
def test_networks_learn_trajectories_of_any_number_of_coordinates(coordinates):
    """One trajectory is learned by heart, whatever it has of coordinates."""
    data = 0.5 * synthetic(8 * coordinates, 40, seed=0)[:, :, :1]
    data = data.reshape(coordinates, 8, 40).transpose(1, 2, 0)

    def outcome(iterations, rate):
        spec = RunSpec(
            task="trajectory_generation",
            cell="TRNN",
            length=8,
            hidden_size=20,
            training={"iterations": iterations},
            device="cpu",
        )
        result = train(spec, [0], [{"lr": rate, "p": 1, "tau": 2.0}], data)
        return result.metrics.set_index("metric")["value"], result.examples

    metrics, examples = outcome(400, 0.02)
    assert metrics["sequences"] == 1
    assert set(examples["coordinate"]) == set(range(coordinates))
    metrics, examples = outcome(1, 1e-9)  # the loss is that of the network that is shown
    error = ((examples["target"] - examples["prediction"]) ** 2).mean()
    assert metrics["train_loss"] == pytest.approx(error, rel=1e-4)


def test_the_log_says_what_the_threshold_means(caplog):
    caplog.set_level("INFO")
    for size, complaint in ((1, False), (100, True), (0.01, True)):
        caplog.clear()
        spec = RunSpec(
            task="trajectory_generation",
            cell="TRNN",
            length=8,
            hidden_size=4,
            training={"iterations": 1},
            device="cpu",
        )
        train(spec, [0], [{"lr": 0.02, "p": 2, "tau": 2.0}], size * synthetic(5, 40, seed=0))
        assert "a sequence is learned if it is off by less than 0.1 on average" in caplog.text
        assert ("goes badly with these coordinates" in caplog.text) is complaint
