"""How a study's seeds are cut into jobs, and how a job's seeds are written in a file name.

A label lists runs of seeds: ``0-4`` is 0 to 4, ``3+7-9`` is 3, 7, 8 and 9.
"""

from collections.abc import Iterable, Sequence

#: A label is part of file names, which have at most 255 bytes.
LONGEST_LABEL = 200
#: Far above the seeds of a job.
MOST_SEEDS = 1_000_000


def label(seeds: Iterable[int]) -> str:
    """Write seeds as a label."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][1] + 1:
            parts[-1][1] = seed
        else:
            parts.append([seed, seed])
    return "+".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def parse(text: str) -> list[int]:
    """Read a label.

    Raises:
        ValueError: if the text is not a label as :func:`label` writes it.
    """
    seeds = []
    for part in text.split("+"):
        first, _, last = part.partition("-")
        seeds.extend(range(int(first), min(int(last or first) + 1, int(first) + MOST_SEEDS)))
    if label(seeds) != text:
        raise ValueError(f"{text!r} is not a list of seeds; expected for instance 0-4 or 3+7-9")
    return seeds


def chunks(seeds: Sequence[int], per_job: int, before: Iterable[str] = ()) -> list[str]:
    """Cut seeds into the labels of jobs, in the order of their first seeds.

    Args:
        seeds: the study's seeds.
        per_job: how many seeds a job trains.
        before: labels of jobs that exist already; those whose seeds are all wanted are kept, so
            that only the other seeds are new work.

    Raises:
        ValueError: if a label is too long for a file name.
    """
    waiting = set(seeds)
    kept = []
    for text in sorted(before):
        try:
            known = set(parse(text))
        except ValueError:
            continue  # a folder that somebody else put there
        if known <= waiting:
            kept.append(text)
            waiting -= known
    rest = [seed for seed in seeds if seed in waiting]
    new = [label(rest[k : k + per_job]) for k in range(0, len(rest), per_job)]
    if (longest := max(map(len, new), default=0)) > LONGEST_LABEL:
        raise ValueError(
            f"a job's seeds have so many gaps that they make a name of {longest} characters; "
            f"allowed: {LONGEST_LABEL}. Lower seeds_per_job"
        )
    return sorted(kept + new, key=lambda text: parse(text)[0])
