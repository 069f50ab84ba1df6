"""One printed table for all benchmarks: what, ours, the peer's, the ratio."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Time:
    """Of one piece of work: by the clock, and of the processor (all threads)."""

    clock: float
    processor: float


def timed(work: Callable[[], object], rounds: int = 1) -> Time:
    """The shortest of some runs: other programs only ever add time."""
    best = Time(float("inf"), float("inf"))
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        best = min(best, Time(time.perf_counter() - clock, time.process_time() - processor), key=lambda t: t.clock)
    return best


@dataclass(frozen=True)
class Row:
    """Ours and the peer's, measured in the same run on the same machine."""

    what: str
    ours: Time
    peer: Time
    note: str = ""

    @property
    def ratio(self) -> float:
        """Of processor time: the clock also counts what other programs took from both."""
        return self.peer.processor / self.ours.processor

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def show(rows: Sequence[Row], peer: str, limits: Mapping[str, float] | None = None) -> None:
    """Print the table; ``limits`` are seconds by the clock that ours should stay under."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, load of the machine {load:.1f}")
    print(f"{'what':<42}{'ours: clock':>12}{'cpu':>10}   {peer + ': clock':>18}{'cpu':>10}{'cpu ratio':>11}")
    for row in rows:
        limit = (limits or {}).get(row.what)
        met = "" if limit is None else f"; limit {_said(limit)}: {'met' if row.ours.clock <= limit else 'NOT met'}"
        times = f"{_said(row.ours.clock):>12}{_said(row.ours.processor):>10}"
        theirs = f"{_said(row.peer.clock):>18}{_said(row.peer.processor):>10}"
        print(f"{row.what:<42}{times}   {theirs}{row.ratio:>10.0f}x  {row.note}{met}")


def _said(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
