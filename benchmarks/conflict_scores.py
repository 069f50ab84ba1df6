"""How well a number about weights foretells what a stack costs in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from conflict_damage import Seen

from lora_train.lora.balance import Conflicts

DAMAGED = 0.2
"""A LoRA that loses this share of what it shows alone is damaged: one trait of five, or 2 pictures of 8."""
ROUNDS = 2000


@dataclass(frozen=True)
class Case:
    """One LoRA in one stack: what the workbench says of it, and what it lost."""

    names: tuple[str, ...]
    strengths: tuple[float, ...]
    of: str
    scores: Mapping[str, float]
    lost: float
    """``kept`` alone, at the same strength, minus ``kept`` in the stack."""
    lost_adherence: float


@dataclass(frozen=True)
class Foretold:
    """How one score does over all cases."""

    score: str
    rank: float
    """Spearman's rank correlation with what was lost."""
    interval: tuple[float, float]
    """90 %, from drawing whole stacks again."""
    rank_adherence: float
    area: float
    """Chance that a damaged LoRA has the higher score than an undamaged one; 0.5 is a coin."""
    limit: float
    """Parts damaged from undamaged best (most true alarms minus false ones)."""
    above: float
    """Share damaged at or above the limit."""
    below: float


def scores_of(found: Conflicts, name: str) -> dict[str, float]:
    """What the workbench knows about ``name`` in this stack, one number for each idea."""
    me = found.names.index(name)
    pairs = [pair for pair in found.pairs if name in (pair.a, pair.b)]
    own = found.gram.diagonal().clip(0)
    others = float(own.sum() - own[me])
    return {
        "cosine": max(pair.cosine for pair in pairs),
        "overlap": max(pair.overlap for pair in pairs),
        "overlap of inputs": max(pair.overlap_inputs for pair in pairs),
        "overlap of outputs": max(pair.overlap_outputs for pair in pairs),
        "overlap, times chance": max(pair.times_chance for pair in pairs),
        "energy, times budget": found.cap.energy / found.cap.budget,
        "energy ratio": found.energy_ratio,
        "change of the base": float(found.cap.energy) ** 0.5,
        "others' loudness": others**0.5,
        "others' loudness, times own": (others / max(float(own[me]), 1e-12)) ** 0.5,
        "overlap x others' loudness": max(pair.overlap for pair in pairs)
        * (others / max(float(own[me]), 1e-12)) ** 0.5,
        "highest strength": max(found.strengths),
        "LoRAs": float(len(found.names)),
    }


def case(found: Conflicts, seen: Seen, alone: Seen) -> Case:
    return Case(seen.names, seen.strengths, seen.of, scores_of(found, seen.of),
                alone.kept - seen.kept, alone.adherence - seen.adherence)  # fmt: skip


def foretold(score: str, cases: Sequence[Case]) -> Foretold:
    """Everything of :class:`Foretold` for one score."""
    values = np.array([c.scores[score] for c in cases])
    lost = np.array([c.lost for c in cases])
    damaged = lost >= DAMAGED - 1e-9
    limit = _best_limit(values, damaged)
    over = values >= limit
    return Foretold(
        score=score,
        rank=rank_correlation(values, lost),
        interval=_interval(values, lost, [c.names for c in cases]),
        rank_adherence=rank_correlation(values, np.array([c.lost_adherence for c in cases])),
        area=_area(values, damaged),
        limit=limit,
        above=float(damaged[over].mean()) if over.any() else float("nan"),
        below=float(damaged[~over].mean()) if (~over).any() else float("nan"),
    )


def area(score: str, cases: Sequence[Case]) -> float:
    """:attr:`Foretold.area` of one score among some of the cases: what it knows beyond what sets them apart."""
    return _area(np.array([c.scores[score] for c in cases]), np.array([c.lost >= DAMAGED - 1e-9 for c in cases]))


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's: Pearson's of the ranks, ties sharing their mean rank; 0 where one side is constant."""
    a, b = (_ranks(v) - (len(v) + 1) / 2 for v in (x, y))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2


def _interval(values: np.ndarray, lost: np.ndarray, stacks: Sequence[tuple[str, ...]]) -> tuple[float, float]:
    """Cases of one stack hang together, so whole stacks are drawn."""
    kinds = sorted(set(stacks))
    rows = [np.flatnonzero([stack == kind for stack in stacks]) for kind in kinds]
    chooser = np.random.default_rng(0)
    found = []
    for _ in range(ROUNDS):
        drawn = np.concatenate([rows[k] for k in chooser.integers(0, len(kinds), len(kinds))])
        found.append(rank_correlation(values[drawn], lost[drawn]))
    low, high = np.quantile(found, (0.05, 0.95))
    return float(low), float(high)


def _area(values: np.ndarray, damaged: np.ndarray) -> float:
    """Area under the ROC curve (Mann-Whitney), ties counting half."""
    if damaged.all() or not damaged.any():
        return float("nan")
    count = int(damaged.sum())
    return float((_ranks(values)[damaged].sum() - count * (count + 1) / 2) / (count * (~damaged).sum()))


def _best_limit(values: np.ndarray, damaged: np.ndarray) -> float:
    """The value with the most true alarms minus false ones (Youden 1950)."""
    limits = np.unique(values)
    gains = [(values >= at)[damaged].mean() - (values >= at)[~damaged].mean() if damaged.any() else 0 for at in limits]
    return float(limits[int(np.argmax(gains))])
