"""The table: one row for each case and peer."""

import platform
import re
from pathlib import Path

import numpy as np
import pandas as pd
import threadpoolctl
import torch

from . import floor, peak
from .cases import Case
from .timing import interleave


def rows_of(case: Case, seconds: float, rounds: int) -> pd.DataFrame:
    """Time a case, and return its rows.

    Columns:
        case, group: the case, and which table of the page shows it.
        models: how many models a step trains.
        peer: the other implementation.
        our_ms, peer_ms, floor_ms: milliseconds of a step, of the peer's, and of its matrix products
            alone by the fastest library; medians over the rounds.
        our_low, our_high, ratio_low, ratio_high: 5 % and 95 % of the rounds.
        ratio: the peer's time over ours.
        floor_ratio: our time over the floor's.
        gflop: operations of the products, in billions.
        peak: billions of operations per second of multiply-adds in registers, in the same rounds.
        share: of the peak, that our products reach in the time of the whole step.
        threads, device, note: threads, processor, and why a number is missing.
    """
    contest = case.contest()
    contestants = {"ours": contest.ours}
    contestants |= {name: work for name, work in contest.peers.items() if callable(work)}
    operations = floor.operations(contest.products)
    contestants["peak"], peak_operations = peak.work()
    if operations:
        contestants["floor"] = floor.work(contest.products)
    times = interleave(contestants, seconds, rounds)
    missing = np.full(1, np.nan)
    ours, alone = times["ours"], times.get("floor", missing)
    # Of the peak the best round: it is a property of the processor.
    best = peak_operations / times["peak"].min() / 1e6
    rows = []
    for peer in contest.peers or [""]:
        theirs, why = times.get(peer, missing), contest.peers.get(peer, "")
        rows.append(
            {
                "case": case.name,
                "group": case.group,
                "models": contest.models,
                "peer": peer,
                **_spread("our_ms", "our", ours),
                "peer_ms": np.median(theirs),
                **_spread("ratio", "ratio", theirs / ours),
                "ratio": np.median(theirs) / np.median(ours),
                "floor_ms": np.median(alone),
                "floor_ratio": np.median(ours) / np.median(alone),
                "gflop": operations / 1e9 or np.nan,
                "peak": best,
                "share": operations / np.median(ours) / 1e6 / best or np.nan,
                "threads": torch.get_num_threads(),
                "device": device_name(case.group == "gpu"),
                "note": why if isinstance(why, str) else "",
            }
        )
    return pd.DataFrame(rows)


def _spread(name: str, prefix: str, values: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(values, [5, 95])
    return {name: float(np.median(values)), f"{prefix}_low": low, f"{prefix}_high": high}


def device_name(gpu: bool) -> str:
    """Return the name of the processor or of the GPU."""
    if gpu:
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def line(row: pd.Series, case: Case) -> str:
    """Write a row for the terminal, with what is missed of what should be reached."""
    text = f"{row.case:42s} {row.our_ms:9.3f} ms"
    text += _judged(row.our_ms, case.milliseconds, "at most")
    if row.peer:
        text += f"   {row.peer:14s}"
        text += f" {row.peer_ms:9.2f} ms {row.ratio:6.2f}x" if not row.note else f" {row.note}"
        text += _judged(row.ratio, case.ratio.get(row.peer), "at least")
    if row.floor_ms > 0:
        text += f"   floor {row.floor_ms:8.2f} ms {row.floor_ratio:6.2f}x"
        text += _judged(row.floor_ratio, case.floor_ratio, "at most")
        text += f"   {row.share:4.0%} of the peak" + _judged(row.share, case.share, "at least")
    return text


def _judged(value: float, goal: float | None, kind: str) -> str:
    met = goal is None or (value >= goal if kind == "at least" else value <= goal)
    return "" if met else f" (not {kind} {goal:g})"


def blas() -> str:
    """Return which libraries for matrix products are loaded, and the kernels that they chose."""
    found = [
        " ".join(
            str(pool[key]) for key in ("internal_api", "version", "architecture") if key in pool
        )
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"
    ]
    built = re.findall(r"(?:Math Kernel Library|MKL-DNN) \S* ?[\d.]+", torch.__config__.show())
    return "; ".join([*dict.fromkeys(found), *(f"PyTorch's {part}" for part in built)])
