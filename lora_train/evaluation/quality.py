"""Sharpness and artefacts against the base model's pictures: a strong LoRA burns, blurs or grains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..say import say


@dataclass(frozen=True)
class Fault:
    """One measure that got worse; medians with and without the LoRA."""

    code: str
    text: str
    made: float
    base: float


@dataclass(frozen=True)
class _Check:
    code: str
    measure: str
    times: float
    """How many times the base's value is too much."""
    least: float
    """And at least so much more."""


CHECKS = (
    _Check("blurred", "blur_px", 1.5, 0.7),
    _Check("grainy", "noise", 2.0, 2.0),
    _Check("burnt", "burnt_share", 2.0, 0.08),
    _Check("garish", "chroma", 1.4, 8.0),
)


def find_faults(made: Mapping[str, np.ndarray], base: Mapping[str, np.ndarray]) -> tuple[Fault, ...]:
    """What got clearly worse, by the medians of (n,) and (m,) scores; NaN is left out."""
    found = []
    for check in CHECKS:
        ours, theirs = _median(made.get(check.measure)), _median(base.get(check.measure))
        if ours is None or theirs is None:
            continue
        if ours > check.times * theirs and ours - theirs > check.least:
            found.append(Fault(check.code, say(f"verdict.fault_{check.code}", made=ours, base=theirs), ours, theirs))
    return tuple(found)


def _median(values: np.ndarray | None) -> float | None:
    usable = values[np.isfinite(values)] if values is not None else np.zeros(0)
    return float(np.median(usable)) if len(usable) else None
