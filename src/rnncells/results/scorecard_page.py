"""The scorecard as a page in Markdown."""

import pandas as pd

from .scorecard import FAILS, HOLDS, LEAST_SEEDS, VERDICTS

#: How a verdict is reached, in words.
RULES = f"""\
A claim is compared with the study that departs least from the published protocol, and among these
with the one of most seeds. Intervals are 95 %.

* **A number** (`value`, with its reading error): *reproduced* if the t interval of our mean over
  seeds meets the published value ± its error, and its half-width is at most that error or a quarter
  of the value; *undecided* if it meets it but is wider. If they do not meet: *ordering only* if our
  means put the cell on the published side of every other cell under the same conditions whose
  published value differs by more than both errors, else *different*.
* **A bound** (`above`, `below`), a statement about single runs: ours is the share of seeds that
  keep it, within its reading error, with the exact binomial interval. *Reproduced* from {HOLDS:g}
  of the seeds on, *different* up to {FAILS:g}, else *undecided*.
* **An order of two cells** (`higher`, `lower`): ours is the difference on shared seeds with its
  paired t interval. *Reproduced* if the interval lies on the published side of 0, *different* if on
  the other, else *undecided*.
* **A ranking** (`rank`): Kendall's τ between our means and the published values, with a bootstrap
  interval over seeds. *Reproduced* if τ reaches the stated value, which is this project's, and its
  interval lies above 0; *ordering only* if only the latter; *different* if the interval lies below
  0, else *undecided*.
* Fewer than {LEAST_SEEDS} seeds: *undecided*. A smaller budget or another setting than published:
  *not comparable*, with the setting. Nothing run that the claim is about: *not run*.

Where the publication is a search, the reading error is 4 % of the expected number of sequences, or
one sequence: two standard deviations of the posterior mean in the one published search whose
observations were fitted again, as a share.
"""


def page(table: pd.DataFrame, figure: str, baseline: str = "") -> str:
    """Return the scorecard as a page in Markdown.

    Args:
        table: what :func:`compare` returned.
        figure: the figure's file, relative to the page.
        baseline: a section on published baselines.
    """
    counts = table.groupby("task", sort=False)["verdict"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=VERDICTS, fill_value=0)
    lines = ["# Scorecard", "", _summary(table), "", f"![Scorecard](./{figure})", ""]
    lines += [f"| task | claims | {' | '.join(VERDICTS)} |", "|---" * (len(VERDICTS) + 2) + "|"]
    for task, row in counts.iterrows():
        lines.append(f"| {task} | {row.sum()} | {' | '.join(map(str, row))} |")
    lines += ["", "## How a verdict is reached", "", RULES]
    for task, here in table.groupby("task", sort=False):
        lines += [f"## {task}", ""]
        done = here[here["verdict"] != "not run"]
        if len(done):
            head = ["claim", "published", "ours", "seeds", "verdict", "why", "time"]
            lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
            lines += [_page_row(row) for row in done.itertuples(index=False)] + [""]
            given = done["conditions"].dropna()
            lines += [f"Conditions: {words}." for words in sorted(set(given[given != ""]))] + [""]
        missing = here[here["verdict"] == "not run"]
        if len(missing):
            lines += [f"Not run ({len(missing)}):", ""]
            lines += [f"* {row.statement}" for row in missing.itertuples(index=False)] + [""]
    if (table["verdict"] == "not run").any():
        lines += [
            "What is missing is made by `make figures CONFIG=config/paper.yaml`.",
            "",
        ]
    lines += [baseline] if baseline else []
    doubts = table["doubt"].dropna()
    lines += ["## What looks wrong in the originals", ""]
    lines += [f"* {doubt}" for doubt in dict.fromkeys(doubts[doubts != ""])] + [""]
    sources = table[["source", "read"]].drop_duplicates()
    lines += ["## Sources", ""]
    lines += [f"* {row.source} (read from a {row.read})" for row in sources.itertuples()] + [""]
    return "\n".join(lines)


def _summary(table: pd.DataFrame) -> str:
    run = table[table["verdict"] != "not run"]
    decided = run["verdict"].value_counts()
    words = ", ".join(f"{decided[v]} {v}" for v in VERDICTS if v in decided)
    return (
        f"{len(table)} published claims; {len(run)} can be looked at with what has been run"
        f"{': ' if words else ''}{words}."
    )


def _page_row(row) -> str:
    published = {
        "value": f"{row.value:g} ± {row.error:g}",
        "above": f"above {row.value:g}",
        "below": f"below {row.value:g}",
        "rank": f"τ ≥ {row.value:g}",
    }.get(row.kind, row.kind)
    ours = "" if pd.isna(row.ours) else f"{row.ours:.3g}"
    if ours and not pd.isna(row.low):
        ours += f" [{row.low:.3g}, {row.high:.3g}]"
    time = "" if pd.isna(row.seconds) else _duration(row.seconds)
    cells = [row.statement, published, ours, f"{row.n:.0f}", row.verdict, row.why, time]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
