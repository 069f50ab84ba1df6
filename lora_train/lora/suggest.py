"""Strengths that fit together, from the Gram matrix of a stack. Nothing here looks at pictures.

``G`` is (n, n): ``G_ij = <D_i, D_j>`` at the strengths in use, so the energy of the stack is ``sum(G)`` and
multipliers ``m`` change it to ``m' G m``.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .limits import conflict_limits

KAPPA = conflict_limits().budget
"""The budget is this many times the energy of the strongest LoRA."""
MAX_STRENGTH = 1.5


@dataclass(frozen=True)
class Cap:
    """Multipliers that bring the stack into its budget."""

    factors: np.ndarray
    """(n,), 1 = unchanged, locked rows always 1."""
    energy: float
    """Of the stack as it is: ``||sum D||^2``."""
    budget: float
    """``kappa * max_i ||D_i||^2``"""
    full: bool
    """True when the locked rows alone fill the budget: no multiplier of the others helps."""


def cap_energy(gram: np.ndarray, locked: Collection[int] = (), kappa: float = KAPPA) -> Cap:
    """Scale all rows that are not locked by one number so that ``m' G m <= kappa * max G_ii``.

    With independent LoRAs this is the 1/sqrt(n) rule; aligned ones are cut more, cancelling ones not.
    The number is the larger root of ``c^2 RR + 2 c LR + LL - budget = 0``, at most 1.
    """
    n = len(gram)
    energy = float(gram.sum())
    budget = kappa * float(max(gram.diagonal(), default=0.0))
    factors = np.ones(n)
    if energy <= budget or not budget > 0:
        return Cap(factors, energy, budget, full=False)
    rest = np.array([i not in locked for i in range(n)])
    rr, lr, ll = gram[np.ix_(rest, rest)].sum(), gram[np.ix_(~rest, rest)].sum(), gram[np.ix_(~rest, ~rest)].sum()
    inside = lr * lr - rr * (ll - budget)
    root = (-lr + math.sqrt(inside)) / rr if inside >= 0 and rr > 0 else 0.0
    if root <= 0:
        return Cap(factors, energy, budget, full=True)
    factors[rest] = min(1.0, root)
    return Cap(factors, energy, budget, full=False)


def fitted(strength: float, factor: float) -> float:
    """A suggested strength with two digits, rounded towards 0: taken as it is shown, it does fit."""
    return strength if factor >= 1 else math.trunc(strength * factor * 100) / 100


def match_loudness(loudness: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Strengths at which every LoRA is as loud as the median one at strength 1.

    Args:
        loudness: (n,) norms at strength 1; 0 stays at strength 0.
        signs: (n,) +1 or -1, the direction in which each row is used.
    """
    heard = loudness[loudness > 0]
    reference = float(np.median(heard)) if len(heard) else 0.0
    wanted = np.divide(reference, loudness, out=np.zeros_like(loudness), where=loudness > 0)
    return np.clip(wanted, 0.0, MAX_STRENGTH) * signs
