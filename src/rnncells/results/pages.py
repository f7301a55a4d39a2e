"""The page that lists a study's figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def study_page(
    study: str, folder: str | Path, figures: Sequence[str | Path], protocol: Mapping
) -> str:
    """Return a page in Markdown: the protocol, the figures, and where the tables are.

    Args:
        study: name of the study.
        folder: where the page lies.
        figures: the figures' files, below that folder; those that are PNG are shown.
        protocol: what :func:`rnncells.study.protocol.describe` returned.
    """
    budget = "; ".join(protocol["reduced"]) or "nothing, this is the published size"
    lines = [
        f"# {study}",
        "",
        f"Task {protocol['task']}, {protocol['seeds']} seeds, {protocol['source']}.",
        *([f"Reduced against the published protocol: {budget}."] if protocol["published"] else []),
        "",
    ]
    for file in map(Path, figures):
        if file.suffix == ".png":
            place = file.relative_to(folder)
            # A user's figure has a colon in its name, which would be the end of a URL's scheme.
            title = " ".join(place.with_suffix("").parts).replace("_", " ")
            lines += [f"## {title}", "", f"![{title}](./{place})", ""]
    lines += [
        f"Tables: `results/tables/{study}/`, runs: `results/runs/{study}/`. Where the numbers come",
        f"from, job by job: `results/tables/{study}/provenance.csv`.",
        "",
    ]
    return "\n".join(lines)
