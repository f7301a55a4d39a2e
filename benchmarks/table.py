"""The table: one row for each case and peer."""

import platform
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from .cases import Case
from .timing import interleave


def rows_of(case: Case, seconds: float, rounds: int) -> pd.DataFrame:
    """Time a case, and return its rows.

    Columns: case; group, the panel of the figure; models that a step trains; the medians and
    interquartile ranges of our, the peer's and the floor's milliseconds per step; ratio, the peer's
    time over ours, and the quartiles of that ratio over the rounds; floor_ratio, our time over the
    floor's; ratio_goal and floor_goal, what they are to reach; threads; device; note, why a number
    is missing.
    """
    contest = case.contest()
    contestants = {"ours": contest.ours}
    contestants |= {name: work for name, work in contest.peers.items() if callable(work)}
    if contest.floor is not None:
        contestants["floor"] = contest.floor
    times = interleave(contestants, seconds, rounds)
    missing = np.full(1, np.nan)
    ours, floor = times["ours"], times.get("floor", missing)
    rows = []
    for peer in contest.peers or [""]:
        theirs = times.get(peer, missing)
        low, high = np.percentile(theirs / ours, [25, 75])
        rows.append(
            {
                "case": case.name,
                "group": case.group,
                "models": contest.models,
                "peer": peer,
                "our_ms": np.median(ours),
                "our_iqr": spread(ours),
                "peer_ms": np.median(theirs),
                "peer_iqr": spread(theirs),
                "ratio": np.median(theirs) / np.median(ours),
                "ratio_low": low,
                "ratio_high": high,
                "ratio_goal": case.ratio.get(peer, np.nan),
                "floor_ms": np.median(floor),
                "floor_iqr": spread(floor),
                "floor_ratio": np.median(ours) / np.median(floor),
                "floor_goal": case.floor_ratio or np.nan,
                "threads": torch.get_num_threads(),
                "device": device_name(case.group == "gpu"),
                "note": "" if callable(contest.peers.get(peer, ours)) else contest.peers[peer],
            }
        )
    return pd.DataFrame(rows)


def spread(times: np.ndarray) -> float:
    """Return the interquartile range."""
    return float(np.subtract(*np.percentile(times, [75, 25])))


def device_name(gpu: bool) -> str:
    """Return the name of the processor or of the GPU."""
    if gpu:
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def line(row: pd.Series) -> str:
    """Write a row for the terminal."""
    text = f"{row.case:36s} {row.our_ms:9.2f} ms"
    if row.peer:
        text += f"   {row.peer:20s}"
        text += f" {row.peer_ms:9.2f} ms {row.ratio:6.2f}x" if not row.note else f" {row.note}"
        text += _judged(row.ratio, row.ratio_goal, "at least", row.ratio >= row.ratio_goal)
    if row.floor_ms > 0:
        text += f"   floor {row.floor_ms:8.2f} ms {row.floor_ratio:6.2f}x"
        met = row.floor_ratio <= row.floor_goal
        text += _judged(row.floor_ratio, row.floor_goal, "at most", met)
    return text


def _judged(value: float, goal: float, kind: str, met: bool) -> str:
    return "" if np.isnan([value, goal]).any() or met else f" (not {kind} {goal:g})"
