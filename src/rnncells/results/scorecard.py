"""The scorecard: published claims, our results, and whether the two agree.

The claims are those of ``published/claims.csv``; they are compared with whatever has been run.
:data:`rnncells.results.scorecard_page.RULES` says in words how a verdict is reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from ..random.streams import stream
from .columns import CONFIGURATION
from .statistics import binomial_interval, mean, t_interval

VERDICTS = (
    "reproduced",
    "ordering only",
    "different",
    "undecided",
    "not comparable",
    "not run",
)
#: With fewer seeds a claim is undecided.
LEAST_SEEDS = 3
#: Shares of seeds from which a statement about single runs holds, and up to which it does not.
HOLDS, FAILS = 0.8, 0.2
RESAMPLES = 2000
#: Claims about the loss at a step do not depend on how many epochs follow.
STEPWISE = ("loss", "least_loss")

COLUMNS = [
    *("claim", "task", "cell", "other", "length", "hidden_size", "layers", "statement", "kind"),
    *("value", "error", "ours", "low", "high", "n"),
    *("verdict", "why", "study", "conditions", "seconds", "source", "read", "doubt"),
]


@dataclass(frozen=True)
class Study:
    """What is known of a study that has been run.

    Attributes:
        task: its task.
        metrics: the columns of ``CONFIGURATION``, seed, metric, position, value.
        provenance: the columns of ``CONFIGURATION``, rule, seconds.
        departures: cell -> setting -> how it departs from the published protocol, in words.
        conditions: what else a reader has to know, in words.
    """

    task: str
    metrics: pd.DataFrame
    provenance: pd.DataFrame
    departures: Mapping[str, Mapping[str, str]]
    conditions: str = ""


def compare(claims: pd.DataFrame, studies: Mapping[str, Study]) -> pd.DataFrame:
    """Compare every claim with what has been run.

    Args:
        claims: the columns of ``src/rnncells/published/claims.csv``.
        studies: name -> study.

    Returns:
        a row per claim with the columns of :data:`COLUMNS`: ``ours`` is the mean, the share of
        seeds, the difference or τ, according to the kind of the claim; ``low`` and ``high`` bound
        its interval; ``n`` is the number of seeds; ``seconds`` is what the runs behind it cost.
    """
    comparison = _Comparison(claims, studies)
    rows = [claim._asdict() | comparison.row(claim) for claim in claims.itertuples(index=False)]
    return pd.DataFrame(rows, columns=COLUMNS)


class _Comparison:
    """The claims, and the runs by their configuration."""

    def __init__(self, claims: pd.DataFrame, studies: Mapping[str, Study]):
        self.claims = claims
        self.studies = studies
        self.runs = {
            name: dict(iter(study.metrics.groupby(CONFIGURATION)))
            for name, study in studies.items()
        }

    def row(self, claim) -> dict:
        if isinstance(claim.excluded, str):
            return {"verdict": "not comparable", "why": claim.excluded, "n": 0}
        if claim.kind == "rank":
            return self._rank(claim)
        cells = [cell for cell in (claim.cell, claim.other) if isinstance(cell, str)]
        name = self._study(claim, cells)
        if name is None:
            return {"verdict": "not run", "why": "", "n": 0}
        found = getattr(self, f"_{claim.kind}")(claim, name)
        if found["n"] == 0:
            found |= {"verdict": "not run", "why": "no run has come to this point"}
        elif departures := self._departures(claim, name, cells):
            found |= {"verdict": "not comparable", "why": "; ".join(departures)}
        elif found["n"] < LEAST_SEEDS:
            found |= {"verdict": "undecided", "why": f"too few seeds ({found['n']})"}
        return found | self._origin(claim, name, cells)

    # Which study

    def _study(self, claim, cells: list[str]) -> str | None:
        """Return the study that has the runs of all cells, nearest to the published protocol."""
        having = [
            name
            for name, study in self.studies.items()
            if study.task == claim.task
            and all(_configuration(claim, cell) in self.runs[name] for cell in cells)
        ]

        def seeds(name: str) -> int:
            return min(
                self.runs[name][_configuration(claim, cell)]["seed"].nunique() for cell in cells
            )

        return min(
            having,
            key=lambda name: (len(self._departures(claim, name, cells)), -seeds(name)),
            default=None,
        )

    def _departures(self, claim, name: str, cells: list[str]) -> list[str]:
        found = {}
        for cell in cells:
            found |= self.studies[name].departures.get(cell, {})
        if claim.metric in STEPWISE:
            found.pop("epochs", None)
        return list(found.values())

    def _origin(self, claim, name: str, cells: list[str]) -> dict:
        made = self.studies[name].provenance
        made = made[made["rule"].isin(("search", "optimum", "train")) & made["cell"].isin(cells)]
        for column, value in zip(CONFIGURATION[1:], _configuration(claim, "")[1:], strict=True):
            made = made[made[column] == value]
        return {
            "study": name,
            "conditions": self.studies[name].conditions,
            "seconds": float(made["seconds"].sum()),
        }

    def _values(self, claim, name: str, cell: str) -> pd.Series:
        """Return the number that a claim is about, for each seed of a cell that has it."""
        runs = self.runs[name].get(_configuration(claim, cell))
        if runs is None:
            return pd.Series(dtype=float)
        return measured(runs, claim.metric, claim.position)

    # One kind of claim each: ours, its interval, the number of seeds, and the verdict

    def _value(self, claim, name: str) -> dict:
        values = self._values(claim, name, claim.cell).to_numpy()
        found = _mean_of(values)
        if len(values) < LEAST_SEEDS:
            return found
        panel = self._panel(claim)
        allowed = max(claim.error, abs(claim.value) / 4)
        low, high = claim.value - claim.error, claim.value + claim.error
        if found["low"] <= high and found["high"] >= low:
            half = (found["high"] - found["low"]) / 2
            if half <= allowed:
                return found | {"verdict": "reproduced", "why": ""}
            why = f"too few seeds: the interval of ±{half:.3g} is wider than ±{allowed:.3g}"
            return found | {"verdict": "undecided", "why": why}
        others = panel[
            (panel["cell"] != claim.cell)
            & ((panel["value"] - claim.value).abs() > panel["error"] + claim.error)
        ]
        sides = [
            (self._values(claim, name, other.cell).mean() > found["ours"])
            == (other.value > claim.value)
            for other in others.itertuples(index=False)
            if len(self._values(claim, name, other.cell))
        ]
        if sides and all(sides):
            why = f"on the published side of {len(sides)} other cells"
            return found | {"verdict": "ordering only", "why": why}
        why = f"on the published side of {sum(sides)} of {len(sides)} other cells" if sides else ""
        return found | {"verdict": "different", "why": why}

    def _panel(self, claim) -> pd.DataFrame:
        """Return the published numbers of all cells under the claim's conditions."""
        table = self.claims
        same = (table["kind"] == "value") & table["excluded"].isna()
        for column in ("task", "length", "hidden_size", "layers", "metric", "position"):
            same &= table[column] == getattr(claim, column)
        return table[same].drop_duplicates("cell")

    def _bound(self, claim, name: str) -> dict:
        values = self._values(claim, name, claim.cell).to_numpy()
        sign = 1 if claim.kind == "above" else -1
        kept = int((sign * (values - claim.value) > -claim.error).sum())
        n = len(values)
        share = kept / n if n else np.nan
        low, high = binomial_interval(kept, n)
        verdict = "reproduced" if share >= HOLDS else "different" if share <= FAILS else "undecided"
        why = f"{kept} of {n} seeds keep it"
        return {"ours": share, "low": low, "high": high, "n": n, "verdict": verdict, "why": why}

    _above = _below = _bound

    def _order(self, claim, name: str) -> dict:
        differences = self._values(claim, name, claim.cell) - self._values(claim, name, claim.other)
        found = _mean_of(differences.dropna().to_numpy())
        sign = 1 if claim.kind == "higher" else -1
        below, above = sorted((sign * found["low"], sign * found["high"]))
        if below > 0:
            return found | {"verdict": "reproduced", "why": ""}
        if above < 0:
            return found | {"verdict": "different", "why": "the other way round"}
        return found | {"verdict": "undecided", "why": "the interval has 0 in it"}

    _higher = _lower = _order

    def _rank(self, claim) -> dict:
        panel = self._panel(claim)
        ours, published, studies, seconds = [], [], {}, 0.0
        for row in panel.itertuples(index=False):
            name = self._study(row, [row.cell])
            if name is None or self._departures(row, name, [row.cell]):
                continue
            values = self._values(row, name, row.cell).to_numpy()
            if len(values):
                ours.append(values)
                published.append(row.value)
                origin = self._origin(row, name, [row.cell])
                studies[name] = origin["conditions"]
                seconds += origin["seconds"]
        if len(ours) < 3:
            return {"verdict": "not run", "why": f"{len(ours)} of {len(panel)} cells", "n": 0}
        tau, low, high = rank_correlation(published, ours, claim.claim)
        n = min(map(len, ours))
        if n < LEAST_SEEDS:
            verdict = "undecided"
        elif low > 0:
            verdict = "reproduced" if tau >= claim.value else "ordering only"
        else:
            verdict = "different" if high < 0 else "undecided"
        why = f"{len(ours)} of {len(panel)} cells"
        return {
            **{"ours": tau, "low": low, "high": high, "n": n, "verdict": verdict},
            "why": why + (f"; too few seeds ({n})" if n < LEAST_SEEDS else ""),
            "study": " + ".join(studies),
            "conditions": "; ".join(dict.fromkeys(filter(None, studies.values()))),
            "seconds": seconds,
        }


def _configuration(claim, cell: str) -> tuple:
    return cell, int(claim.length), int(claim.hidden_size), int(claim.layers)


def _mean_of(values: np.ndarray) -> dict:
    if not len(values):
        return dict.fromkeys(("ours", "low", "high"), np.nan) | {"n": 0}
    low, high = t_interval(values[None])
    return {"ours": mean(values[None])[0], "low": low[0], "high": high[0], "n": len(values)}


def measured(runs: pd.DataFrame, metric: str, position: float) -> pd.Series:
    """Return a number for each seed that has it.

    Args:
        runs: the metrics of one configuration.
        metric: one of the task's, or for the training loss of copy-first-input, as a moving average
            over 20 steps (100 if the length is above 10), ``loss`` at a step, and ``least_loss``
            up to a step. A seed that has reached its goal before keeps its last loss.
        position: on the metric's axis, or the step.
    """
    if metric not in STEPWISE:
        here = runs[(runs["metric"] == metric) & (runs["position"] == position)]
        return here.set_index("seed")["value"].dropna()
    window = 20 if runs["length"].iloc[0] <= 10 else 100
    losses = runs[runs["metric"] == "train_loss"]
    table = losses.pivot(index="position", columns="seed", values="value").sort_index()
    average = table.rolling(window).mean()
    average = average[average.index <= position]
    if average.empty:
        return pd.Series(dtype=float)
    final = runs[runs["metric"] == "final_test_mse"].set_index("seed")["value"]
    reached = table.apply(pd.Series.last_valid_index) >= position
    stopped = final.reindex(table.columns) < 0.1
    value = average.min() if metric == "least_loss" else average.ffill().iloc[-1:].squeeze(axis=0)
    return value[reached | stopped].dropna()


def rank_correlation(
    published: list[float], ours: list[np.ndarray], name: str
) -> tuple[float, float, float]:
    """Return Kendall's τ between published values and our means, and its bootstrap interval.

    Args:
        published: a number per cell.
        ours: the values of the seeds of each cell.
        name: names the stream of the draws.
    """
    tau = scipy.stats.kendalltau(published, [values.mean() for values in ours]).statistic
    rng = stream(0, "scorecard", name)
    drawn = np.array(
        [
            values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1)
            for values in ours
        ]
    )
    taus = [scipy.stats.kendalltau(published, means).statistic for means in drawn.T]
    low, high = np.nanquantile(taus, (0.025, 0.975))
    return float(tau), float(low), float(high)
