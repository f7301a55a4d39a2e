"""Labelled sequences: CogScale's problems against its own package, denoising, digits."""

import gzip
import struct

import cogscale
import numpy as np
import pytest
import torch
from cogscale.evals import cogscale_small
from cogscale.libs.CSL import TwoSituationCSLDataset
from sklearn.datasets import load_digits

from rnncells.jobs.errors import UserError
from rnncells.study.models import RunSpec
from rnncells.study.plan import resolve
from rnncells.study.validation import ConfigError
from rnncells.tasks.cogscale import CATEGORIES, SENTENCE, CogScale
from rnncells.tasks.sequential_digits import Images
from rnncells.training.loop import assemble, train


def built(name, seed):
    """Return the package's data, the words of its sentences in the order of the alphabet."""
    data = cogscale.build_task(name, "small", seed=seed)
    if name == "cross_situation":
        given = cogscale_small[name]["params"]
        words = {kind: given[kind] for kind in ("objects", "colors", "positions")}
        order = np.argsort(TwoSituationCSLDataset(**words).input_encoder.words)
        data |= {part: data[part][..., order] for part in ("X_train", "X_valid", "X_test")}
    return data


def made(task, length, seeds=(0, 1), data=None, cell="GRU", rates=None, **training):
    spec = RunSpec(
        task=task, cell=cell, length=length, hidden_size=6, training=training, device="cpu"
    )
    rates = rates or [0.01] * len(seeds)
    return assemble(spec, seeds, [{"lr": rate} for rate in rates], data)


def problem(name, seeds=(0, 1), **more):
    settings = CogScale.Settings(problem=name, difficulty="small", **more)
    length = CogScale.own_lengths(settings)[0]
    return made("cogscale", length, seeds, problem=name, difficulty="small", **more)


def predicted(network, x, k):
    """Let member k predict (N, T, o)."""
    inputs = torch.as_tensor(x, dtype=torch.float32).transpose(0, 1)
    everyone = inputs.expand(len(network.readout.bias), *inputs.shape)
    return network(everyone)[k].transpose(0, 1)


def plain_loss(logits, target, category):
    """Return the loss of the package's baselines."""
    counts = (target != -100).any(-1)
    logits, target = logits[counts], target[counts]
    if category == "classification":
        return torch.nn.functional.cross_entropy(logits, target.argmax(-1))
    if category == "multi_classification":
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    return torch.nn.functional.mse_loss(logits, target)


@pytest.mark.parametrize("name", cogscale.tasks)
@torch.no_grad()
def test_errors_and_losses_are_those_of_cogscale(name):
    task, network = problem(name)
    thresholds = task.thresholds(network)
    errors = task.error(network, "test", thresholds)
    network.readout.weight *= 3  # far from the guess at the start
    losses = task.loss(network, task.batch(0))
    errors, validation = task.error(network, "test"), task.validate(network)
    for k, seed in enumerate(task.seeds):
        data = built(name, seed)
        category = data["category"]
        assert task.category == CATEGORIES[category]
        for x, y, ours in (("X_test", "Y_test", errors), ("X_valid", "Y_valid", -validation)):
            out = predicted(network, data[x], k).numpy()
            assert ours[k] == pytest.approx(cogscale.compute_score(data[y], out, category))
        if task.steps_per_epoch == 1:
            chosen = np.arange(len(data["X_train"]))
        else:
            chosen = task._order[1][k][:10].numpy()
            assert sorted(task._order[1][k].tolist()) == list(range(len(data["X_train"])))
        target = torch.as_tensor(data["Y_train"][chosen], dtype=torch.float32)
        plain = plain_loss(predicted(network, data["X_train"][chosen], k), target, category)
        torch.testing.assert_close(losses[k], plain)


def test_the_threshold_of_labels_is_chosen_by_validation_sequences():
    task, network = problem("cross_situation")
    with torch.no_grad():
        network.readout.bias += 0.3
        found = torch.sigmoid(task.thresholds(network)).flatten()
        data = built("cross_situation", seed=0)
        probability = torch.sigmoid(predicted(network, data["X_valid"], 0)[:, -1]).numpy()
    labels = data["Y_valid"][:, -1]
    shares = [((probability >= t) == labels).all(-1).mean() for t in np.linspace(0.01, 0.99, 100)]
    assert found[0].item() == pytest.approx(np.linspace(0.01, 0.99, 100)[np.argmax(shares)])
    assert data["X_train"].shape[1] == SENTENCE


def test_chance_is_the_best_constant_prediction():
    task, _ = problem("discrete_postcasting", seeds=(3,))
    data = built("discrete_postcasting", seed=3)
    known, wanted = (data[f"Y_{part}"][:, 5:].reshape(-1, 3) for part in ("train", "test"))
    usual = known.sum(0).argmax()
    assert task.chance_errors() == pytest.approx([1 - (wanted.argmax(-1) == usual).mean()])
    task, _ = problem("continuous_postcasting", seeds=(3,))
    data = built("continuous_postcasting", seed=3)
    known, wanted = (data[f"Y_{part}"][:, 5:] for part in ("train", "test"))
    assert task.chance_errors() == pytest.approx([((wanted - known.mean()) ** 2).mean()], rel=1e-4)


def test_a_length_of_ones_own_is_not_remembered_by_the_package():
    task, _ = made("cogscale", 12, problem="discrete_postcasting", difficulty="small")
    assert task.parts["train"][0].shape[2] == 12
    task, _ = problem("discrete_postcasting")
    assert task.parts["train"][0].shape[2] == 50
    with pytest.raises(UserError, match="lengths: 13"):
        made("cogscale", 13, problem="induction_heads", difficulty="small")


def test_members_share_the_data_of_their_seed():
    task, _ = made("cogscale", 22, (4, 5, 4), problem="simple_copy", difficulty="small")
    assert len(task.parts["train"][0]) == 2
    batch, alone = task.batch(7), problem("simple_copy", seeds=(5,))[0].batch(7)
    assert torch.equal(batch.x[1], alone.x[0])
    assert torch.equal(batch.x[0], batch.x[2])
    assert not torch.equal(batch.x[0], batch.x[1])


def test_members_of_a_grid_equal_the_seeds_alone():
    spec = RunSpec(
        task="cogscale",
        cell="GRU",
        length=10,
        parameters=400,
        training={"problem": "adding_problem", "difficulty": "small", "epochs": 3},
        device="cpu",
    )
    together = train(spec, [0, 1, 0], [{"lr": lr} for lr in (0.01, 0.01, 0.001)], validate=True)
    for k, (seed, lr) in enumerate(((0, 0.01), (1, 0.01), (0, 0.001))):
        alone = train(spec, [seed], [{"lr": lr}], validate=True)
        assert alone.validation[0] == pytest.approx(together.validation[k])
        assert alone.score[0] == pytest.approx(together.score[k])


def test_a_reservoir_learns_classes_by_ridge_regression():
    spec = RunSpec(
        task="cogscale",
        cell="ESN",
        length=50,
        hidden_size=60,
        training={"problem": "discrete_postcasting", "difficulty": "small", "readout": "ridge"},
        device="cpu",
    )
    result = train(spec, [0, 1], [{"tau": 1.0, "sigma": 0.25, "connectivity": 0.2}] * 2)
    assert (result.score > 0.3).all()


# Denoising

TINY = {"train_sequences": 30, "validation_sequences": 10, "test_sequences": 20, "epochs": 2}


@pytest.mark.parametrize("gap", [0, 12])
def test_the_marked_numbers_are_the_target_in_order(gap):
    task, _ = made("denoising", 20, gap=gap, **TINY)
    everywhere = set()
    for part in ("train", "validation", "test"):
        x, target, mask = task.parts[part]
        assert mask.all()
        for sequence, wanted in zip(x.flatten(0, 1), target.flatten(0, 1), strict=True):
            assert sequence[-1].tolist() == [0, 1]
            marked = torch.nonzero(sequence[:, 1] == 0).flatten()
            assert sequence[marked, 0].tolist() == wanted.tolist()
            assert len(marked) == 5
            assert (sequence[:-1, 1] <= 0).all()
            everywhere |= set(marked.tolist())
    assert everywhere == set(range(20 - gap))


def test_denoising_at_chance_level():
    task, network = made("denoising", 30, **TINY | {"test_sequences": 4000})
    assert task.chance_errors() == pytest.approx([1, 1], abs=0.05)
    with torch.no_grad():
        network.readout.weight.zero_()
        network.readout.bias.zero_()
        assert task.error(network, "test") == pytest.approx([1, 1], abs=0.05)


# Digits


def test_digits_come_pixel_by_pixel_and_every_image_once():
    data = Images().make()
    task, _ = made("sequential_digits", 70, data=data)
    pixels, labels = load_digits(return_X_y=True)
    known = {(image / 16 - 0.5).astype(np.float32).tobytes(): k for k, image in enumerate(pixels)}
    assert len(known) == 1797  # no image is there twice
    for seed in range(2):
        seen = []
        for x, target, _ in task.parts.values():
            assert (x[seed, :, 64:] == 0).all()
            for image, wanted in zip(x[seed, :, :64, 0].numpy(), target[seed], strict=True):
                number = known[image.tobytes()]
                assert wanted.argmax() == labels[number]
                seen.append(number)
        assert sorted(seen) == list(range(1797))
    x, _, _ = task.parts["test"]
    assert torch.equal(x[0], x[1])  # what is tested on does not depend on the seed
    assert not torch.equal(*task.parts["validation"][0])


def test_permuted_pixels():
    data = Images().make()
    rows, _ = made("sequential_digits", 64, data=data)
    permuted, _ = made("sequential_digits", 64, data=data, order="permuted")
    a, b = rows.parts["test"][0][0, :, :, 0], permuted.parts["test"][0][0, :, :, 0]
    assert not torch.equal(a, b)
    assert torch.equal(a.sort(1).values, b.sort(1).values)
    columns = {column.numpy().tobytes() for column in a.T}
    assert columns == {column.numpy().tobytes() for column in b.T}


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_own_images_as_npz_and_idx(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (30, 5, 4), dtype=np.uint8)
    x[0, 0, 0] = 255
    y = (np.arange(30) % 3).astype(np.uint8)
    np.savez(tmp_path / "a.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    data = Images(file=str(tmp_path / "a.npz")).make()
    np.testing.assert_allclose(data[:, :-2], x.reshape(30, -1) / 255, rtol=1e-6)
    assert data[:, -2].tolist() == y.tolist()
    assert data[:, -1].tolist() == [0] * 20 + [1] * 10
    for name, part, pack in (("x", x[:20], bytes), ("y", y[:20], bytes), ("z", x[20:], bytes)):
        (tmp_path / name).write_bytes(pack(idx(part)))
    (tmp_path / "w").write_bytes(gzip.compress(idx(y[20:])))
    names = {"file": "x", "labels": "y", "test_file": "z", "test_labels": "w"}
    same = Images(**{key: str(tmp_path / name) for key, name in names.items()})
    np.testing.assert_array_equal(same.make(), data)
    assert len(same.files()) == 4
    task, _ = made("sequential_digits", 20, data=data)
    assert task.output_size == 3
    with pytest.raises(UserError, match="lengths: 19 is below the number of pixels"):
        made("sequential_digits", 19, data=data)
    whole = Images(file=str(tmp_path / "x"), labels=str(tmp_path / "y")).make()
    assert whole[:, -1].sum() == 4


@pytest.mark.parametrize("content", [b"", b"\0\0\x08\x01", b"\0\0\x08\x01\0\0\0\x09abc", b"PK\3\4"])
def test_a_file_without_images_is_one_line(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    path = str(tmp_path / "x")
    for source in (Images(file=path), Images(file=path, labels=path)):
        with pytest.raises(UserError) as caught:
            source.make()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ({"task": "denoising", "lengths": [9], "training": {"gap": 5}}, "least allowed.* 10"),
        ({"task": "sequential_digits", "lengths": [63]}, "63 is below the number of pixels"),
        (
            {"task": "cogscale", "lengths": [9], "training": {"problem": "cross_situation"}},
            "allowed: 17",
        ),
        ({"task": "cogscale", "training": {"problem": "copy"}}, "problem: 'copy' is not allowed"),
    ],
)
def test_what_does_not_go_together_is_refused(study, said):
    config = {"studies": {"a": {"cells": ["GRU"], "parameters": [1000]} | study}}
    with pytest.raises(ConfigError, match=said):
        resolve(config)


def test_fourteen_problems_by_two_difficulties():
    study = {
        "task": "cogscale",
        "cells": ["GRU"],
        "parameters": [1000, 10000],
        "each": {"problem": list(cogscale.tasks), "difficulty": ["small", "medium"]},
        "hyperparameters": {"source": "grid"},
        "seeds": 10,
    }
    plan = resolve({"studies": {"c": study}})
    assert len(plan) == 28
    copy = plan["c-simple_copy-medium"].cells["GRU"]
    assert (copy.lengths, copy.training.patience, len(copy.grid)) == ([50], 10, 5)
