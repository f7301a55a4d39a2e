"""CogScale's fourteen tasks, as its own package makes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ..jobs.errors import UserError
from .base import Published
from .sequences import Extent, Part, SequenceTask
from .settings import BUDGET, Count

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from ..layers.network import Network

Problem = Literal[
    "sinus_forecasting",
    "chaotic_forecasting",
    "discrete_postcasting",
    "continuous_postcasting",
    "discrete_pattern_completion",
    "continuous_pattern_completion",
    "bracket_matching",
    "simple_copy",
    "selective_copy",
    "adding_problem",
    "sorting_problem",
    "cross_situation",
    "associative_recall",
    "induction_heads",
]
CATEGORIES = {
    "regression": "regression",
    "classification": "classification",
    "multi_classification": "multi_label",
}
#: The published models that are no cells, as their authors write them.
MODELS = {
    "MAMBA": "Mamba",
    "XLSTM": "xLSTM",
    "TRANSFORMER_DECODER": "Transformer (decoder)",
    "TRANSFORMER_ENCDEC": "Transformer (enc.-dec.)",
}
#: The length of the sentences of ``cross_situation``, at every difficulty.
SENTENCE = 17
#: The value of a target that does not count.
MASKED = -100.0


class CogScale(SequenceTask):
    """One of CogScale's fourteen problems: forecasting, memory, completion, reasoning.

    Data, masks and scores are those of the package ``cogscale``; a seed's data are what it builds
    with that seed, the words of ``cross_situation`` in the order of the alphabet. Errors are the
    mean squared error, the share of wrong symbols, or of wrong labels. For the labels of
    ``cross_situation`` the baselines choose a threshold by the share of validation sequences with
    every label right, of 100 thresholds; so does this task.

    The length is CogScale's ``sequence_length``, by default that of the difficulty, to which the
    problems add what their answer takes. The sentences of ``cross_situation`` have a length of
    their own.

    Source: Bendi-Ouis, de Coudenhove & Hinaut 2026, https://github.com/Naowak/cogscale. The
    defaults are the baselines' protocol.
    """

    class Settings(SequenceTask.Settings):
        """Training of cogscale."""

        problem: Problem = Field("simple_copy", description="Which of the fourteen.")
        difficulty: Literal["small", "medium", "large"] = Field(
            "medium", description="Lengths, alphabets, and numbers of sequences."
        )
        batch_size: Count = Field(10, description="Sequences per gradient step.")
        epochs: Count = Field(
            50, description="Passes over the training sequences.", json_schema_extra=BUDGET
        )
        patience: Count | None = Field(
            10,
            description="A seed stops after this many epochs without a better validation score, "
            "and keeps the weights of its best epoch.",
        )

    length_is = "CogScale's sequence_length"
    least_length = 2
    published = Published(
        lengths=(), hidden_sizes=(), layers=(1,), seeds=10, parameters=(1000, 10000)
    )
    published_scores = "cogscale_baseline.csv"

    @classmethod
    def own_lengths(cls, settings) -> list[int]:
        """Return the length of the problem at its difficulty."""
        parameters = _definition(settings)["params"]
        return [parameters.get("sequence_length", SENTENCE)]

    @classmethod
    def check_plan(cls, lengths, settings, data, cell) -> None:
        """Refuse lengths for the problem that has one of its own."""
        if settings.problem == "cross_situation" and lengths != cls.own_lengths(settings):
            raise ValueError(
                f"lengths: {lengths[0]} is not the length of the sentences of cross_situation; "
                f"allowed: {cls.own_lengths(settings)[0]}, or no key `lengths`"
            )

    @classmethod
    def extent(cls, length, settings, data) -> Extent:
        """See the base class."""
        parameters = _definition(settings)["params"]
        if "training_ratio" in parameters:  # one long sequence, cut into three
            steps = int(length * parameters["training_ratio"]) - parameters["forecast_length"]
            return Extent(1, 3, max(1, steps))
        train = parameters["n_train"]
        return Extent(train, train + parameters["n_valid"] + parameters["n_test"], length)

    @classmethod
    def references(cls, settings, folder: Path) -> dict[int, dict[str, float]]:
        """Return the published test errors of other models: budget -> model -> error.

        Each is that of the learning rate with the best mean validation score.
        """
        import pandas as pd

        table = pd.read_csv(folder / cls.published_scores)
        here = table[
            (table["task"] == settings.problem) & (table["difficulty"] == settings.difficulty)
        ]
        best = here.sort_values("validation_mean").groupby(["target_params", "model"]).first()
        found: dict[int, dict[str, float]] = {}
        for (budget, model), row in best.iterrows():
            found.setdefault(int(budget), {})[MODELS.get(model, model)] = float(row["test_mean"])
        return found

    @classmethod
    def published_rows(cls, settings, folder: Path) -> pd.DataFrame:
        """Return the published mean test errors: cell, size, lr, mean, sd, n.

        A size is written as in the names of folders. The published echo state networks have a tenth
        of the budget as units, whatever their readout then has of weights, and no learning rate.
        """
        import pandas as pd

        table = pd.read_csv(folder / cls.published_scores)
        here = table[
            (table["task"] == settings.problem) & (table["difficulty"] == settings.difficulty)
        ]
        budget = here["target_params"].astype(int)
        size = ("parameters=" + budget.astype(str)).where(
            here["model"] != "ESN", "hidden=" + (budget // 10).astype(str)
        )
        names = {"model": "cell", "test_mean": "mean", "test_sd": "sd"}
        return here.assign(size=size).rename(columns=names)[
            ["cell", "size", "lr", "mean", "sd", "n"]
        ]

    def __init__(self, length, seeds, hyperparameters, settings, device, data=None):
        self.definition = _definition(settings)
        self.category = CATEGORIES[self.definition["category"]]
        super().__init__(length, seeds, hyperparameters, settings, device, data)

    def draw(self, seed: int) -> dict[str, Part]:
        """Build a seed's data."""
        # build_task() of the package would keep a changed length for its next call.
        parameters = dict(self.definition["params"], seed=seed)
        if "objects" in parameters:
            return _sentences(**parameters)
        try:
            data = self.definition["fct"](**parameters | {"sequence_length": self.length})
        except ValueError as error:
            raise UserError(f"lengths: {self.length}: {error}") from error
        names = {"train": "train", "validation": "valid", "test": "test"}
        return {ours: _part(data[f"X_{its}"], data[f"Y_{its}"]) for ours, its in names.items()}

    def thresholds(self, network: Network) -> Tensor | float:
        """Choose each member's threshold by the validation sequences with every label right."""
        import torch

        if self.category != "multi_label":
            return 0.0
        # The labels belong to the last step.
        predicted, target, _ = (
            torch.cat(parts, 1)
            for parts in zip(*self._predictions(network, "validation"), strict=True)
        )
        tried = torch.logit(torch.linspace(0.01, 0.99, 100, dtype=torch.float64)).to(predicted)
        right = [
            ((predicted >= threshold) == (target > 0.5)).all(-1).double().mean(1)
            for threshold in tried
        ]
        return tried[torch.stack(right).argmax(0)].view(-1, 1, 1)


def _definition(settings: CogScale.Settings) -> dict:
    """Return the package's definition of a problem: function, parameters, category."""
    try:
        from cogscale import evals
    except ModuleNotFoundError as error:
        raise ValueError(
            "training.problem: the package cogscale is missing; install it with "
            "pip install 'rnncells[cogscale]'"
        ) from error
    definitions = getattr(evals, f"cogscale_{settings.difficulty}")
    # Parameters of which the package remembers the seed and other changes.
    found = definitions[settings.problem]
    return {**found, "params": {k: v for k, v in found["params"].items() if k != "seed"}}


def _sentences(seed: int, n_train: int, n_valid: int, n_test: int, **words) -> dict[str, Part]:
    """Draw sentences of ``cross_situation`` as the package does.

    The package encodes every sentence that there is, minutes of work at medium difficulty, before
    it draws a few of them. And it numbers the words in the order of a Python set, another one in
    every process; here it is the alphabet.
    """
    from cogscale.libs.CSL import OneSituationCSLDataset

    situations = OneSituationCSLDataset(**words)
    split = [sentence.split() for sentence in situations.sentences]
    number = {word: i for i, word in enumerate(sorted({"and"}.union(*split)))}
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(0, len(split) ** 2) for _ in range(n_train + n_valid + n_test)]
    pairs = np.stack(np.divmod(chosen, len(split)), axis=1)

    x = np.zeros((len(pairs), 2 * max(map(len, split)) + 1, len(number)))
    for matrix, (one, other) in zip(x, pairs, strict=True):
        sentence = [*split[one], "and", *split[other]]
        steps = np.arange(-len(sentence), 0)  # the beginning is padded
        matrix[steps, [number[word] for word in sentence]] = 1
    labels = situations.Y[pairs].reshape(len(pairs), -1)
    target = np.full((*x.shape[:2], labels.shape[1]), MASKED)
    target[:, -1] = labels

    names, ends = ("train", "validation", "test"), [n_train, n_train + n_valid]
    parts = zip(np.split(x, ends), np.split(target, ends), strict=True)
    return {name: _part(*arrays) for name, arrays in zip(names, parts, strict=True)}


def _part(x: np.ndarray, target: np.ndarray) -> Part:
    counts = target != MASKED
    # Some of its one-hot vectors are masked where they are not 1.
    target = np.where(counts, target, 0)
    return Part(x.astype(np.float32), target.astype(np.float32), counts.any(-1))
