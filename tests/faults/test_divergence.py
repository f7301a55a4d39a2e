"""A loss that is not a number from the first step on is a result, not a failure."""

import copy
import re
import zlib
from contextlib import suppress
from pathlib import Path

import pandas as pd

from .study import CONFIG

CELL = "faulty:Diverges"
MODULE = '''
import math

from rnncells.cells.leaky import SRNN


class Diverges(SRNN):
    """Has no finite state."""

    def step(self, projected, state, recurrence):
        return tuple(h * math.nan for h in super().step(projected, state, recurrence))
'''


def test_a_loss_that_is_no_number(project, reference, tally):
    config = copy.deepcopy(CONFIG)
    config["studies"].pop("addition")
    config["studies"]["copy"]["cells"] += [CELL, "LSTM"]
    # With this learning rate the second step sees what the first one made of the weights.
    config["studies"]["copy"]["per_cell"] = {
        "LSTM": {"hyperparameters": {"values": {"lr": 1.0e38}}}
    }
    config["studies"]["capacity"]["cells"] = [CELL]
    project.configure(config)
    (project.folder / "faulty.py").write_text(MODULE)
    with tally.tries("a loss that is NaN", 3):
        project.succeed()

        tables = project.results / "tables"
        runs = pd.read_csv(tables / "copy/runs.csv").set_index(["cell", "seed"]).sort_index()
        assert not runs.loc["GRU", "diverged"].any()
        assert runs.loc[CELL, "diverged"].all()
        assert set(runs.loc[CELL, "steps"]) == {1}
        assert runs.loc["LSTM", "diverged"].all()
        assert (runs.loc["LSTM", "steps"] <= 3).all()
        summary = pd.read_csv(tables / "copy/summary.csv").set_index("cell")
        assert set(summary.loc[[CELL], "diverged"]) == {2}
        # Whether a seed solves the task is known even so: it does not.
        measured = summary[summary["metric"] != "solved"]
        assert set(measured.loc[[CELL], "n"]) == {0}

        # The search saw nothing but divergence, scored as no success, and the study goes on.
        (observations,) = (project.results / "searches").rglob("observations.csv")
        assert set(pd.read_csv(observations)["diverged"]) == {2}
        assert pd.read_csv(tables / "capacity/runs.csv")["diverged"].all()

        # The others' numbers are those of a study without it, and the figures tell.
        ours = pd.read_parquet(tables / "copy/metrics.parquet").query("cell == 'GRU'")
        theirs = pd.read_parquet(reference.results / "tables/copy/metrics.parquet")
        pd.testing.assert_frame_equal(ours.reset_index(drop=True), theirs, check_exact=True)
        drawn = project.results / "figures"
        (searched,) = (drawn / "capacity/search").rglob("*.pdf")
        # A text has no space where its line ends, and "fi" is one letter that is not among these.
        assert re.search("4 runs ?diverged", words(drawn / "copy/training_loss.pdf"))
        assert re.search("2 runs ?diverged", words(drawn / "capacity/capacity.pdf"))
        assert re.search("5 con.*gurations ?diverged", words(searched))


def words(pdf: Path) -> str:
    """Return the text of a figure."""
    shown = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf.read_bytes(), re.DOTALL):
        with suppress(zlib.error):  # the rest is no compressed text
            content = zlib.decompress(stream)
            shown += b"".join(re.findall(rb"\(((?:\\.|[^()\\])*)\)", content))
    return shown.replace(b"\0", b"").decode("latin1")
