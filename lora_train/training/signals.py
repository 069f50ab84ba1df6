"""What samples show, as numbers with their errors: likeness, variety, copying, adherence, drift.

All rounds use the same prompts and seeds, so two of them are compared picture by picture, which is
surer than comparing two independent sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.similarity import within_groups
from ..evaluation.statistics import Estimate, jackknife

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAT = 0.01
"""A base whose pictures differ by less than this cannot serve as a yardstick."""


@dataclass(frozen=True)
class Seen:
    """The pictures of one step as numbers, in the order of the shots."""

    step: int
    norm: float
    """|dW| / |W| of the trained layers."""
    rows: np.ndarray
    """(n, d) unit rows of all scored pictures; (n, 0) without an embedder."""
    copied: np.ndarray
    """(n,) booleans: the picture is a training photo again."""


@dataclass(frozen=True)
class Reading:
    """What the samples of one step show. None is "not measured"."""

    step: int
    norm: float
    likeness: Estimate | None = None
    """Share of the subject's traits that are shown, or closeness from the base (0) to the photos (1)."""
    variety: Estimate | None = None
    """What is left of the base's variety at the same prompts and seeds."""
    copying: Estimate | None = None
    """Share of the samples with the trigger word that repeat a training photo."""
    adherence: Estimate | None = None
    """Asked-for things that are shown, relative to the base."""
    drift: Estimate | None = None
    """How far the samples without the trigger word are from the base's, in distances between two seeds."""
    likeness_each: np.ndarray | None = None
    """(n,) likeness of each picture with the trigger word."""
    moments: np.ndarray | None = None
    """(n, d) unit rows of those pictures with the person taken out."""

    def values(self) -> dict[str, float | None]:
        """Plain numbers for the panel and the files; intervals are 90 %."""
        named = {name: getattr(self, name) for name in ("likeness", "variety", "copying", "adherence", "drift")}
        found: dict[str, float | None] = {n: _number(e.value) if e else None for n, e in named.items()}
        found["norm"] = self.norm
        for name in ("likeness", "variety"):
            low, high = named[name].interval() if named[name] else (None, None)
            found |= {f"{name}_low": _number(low), f"{name}_high": _number(high)}
        return found


def gain(new: Reading, old: Reading) -> Estimate | None:
    """How much likeness rose from ``old`` to ``new``, picture by picture."""
    if new.likeness_each is None or old.likeness_each is None:
        return None
    change = new.likeness_each - old.likeness_each
    return jackknife(_mean_of(change), len(change))


def variety_change(new: Reading, old: Reading, base: np.ndarray, groups: np.ndarray) -> Estimate | None:
    """How much variety changed from ``old`` to ``new``, in shares of the base's; pictures left out in pairs.

    Args:
        base: (n, d) rows of the base's pictures, the person taken out.
        groups: (n,) the prompt of each picture.
    """
    if new.moments is None or old.moments is None:
        return None
    ours, theirs, yard = (rows @ rows.T for rows in (new.moments, old.moments, base))

    def change(kept: np.ndarray) -> float:
        among = np.ix_(kept, kept)
        below = 1 - within_groups(yard[among], groups[kept])
        above = within_groups(theirs[among], groups[kept]) - within_groups(ours[among], groups[kept])
        return above / below if below > FLAT else float("nan")

    return measured(jackknife(change, len(base), groups))


def drift_of(rows: np.ndarray, base: np.ndarray, yardstick: float) -> Estimate | None:
    """Mean distance of pictures to the base's at the same seeds, in units of ``yardstick``."""
    if not yardstick > FLAT or not len(rows):
        return None
    distance = (1 - (rows * base).sum(axis=1)) / yardstick
    return measured(jackknife(_mean_of(distance), len(distance)))


def relative(shown: np.ndarray, base: np.ndarray) -> Estimate | None:
    """Mean of ``shown`` over mean of ``base``, pictures in pairs; None where the base shows next to nothing."""
    usable = np.isfinite(shown) & np.isfinite(base)
    ours, theirs = shown[usable], base[usable]
    if len(ours) < 2 or theirs.mean() < 0.2:
        return None

    def ratio(kept: np.ndarray) -> float:
        below = theirs[kept].mean() if len(kept) else 0.0
        return float(ours[kept].mean() / below) if below > 0 else float("nan")

    return measured(jackknife(ratio, len(ours)))


def share_of(hits: np.ndarray) -> Estimate | None:
    """The share of True in ``hits``."""
    return measured(jackknife(_mean_of(hits.astype(np.float64)), len(hits))) if len(hits) else None


def measured(estimate: Estimate) -> Estimate | None:
    """None instead of a value that is no number."""
    return estimate if np.isfinite(estimate.value) else None


def _mean_of(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda kept: float(values[kept].mean()) if len(kept) else float("nan")


def _number(value: float | None) -> float | None:
    return round(float(value), 4) if value is not None and np.isfinite(value) else None


def group_of(prompts: Sequence[str]) -> np.ndarray:
    """(n,) integers, equal where the prompts are."""
    order = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    return np.array([order[prompt] for prompt in prompts], dtype=np.int64)
