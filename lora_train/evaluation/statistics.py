"""Estimates from a handful of pictures, with honest intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Student's t, 95th percentile (two-sided 90 %), for 1..30 degrees of freedom.
_T95 = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812,
    1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725,
    1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
)  # fmt: skip
_Z95 = 1.645


@dataclass(frozen=True)
class Estimate:
    """A number measured on ``n`` pictures; ``se`` is its standard error (0 when unknown)."""

    value: float
    se: float
    n: int
    strata: int = 1
    """In how many groups (prompts) the pictures are; each costs a degree of freedom."""

    def interval(self) -> tuple[float, float]:
        """The 90 % interval, value -+ t(n - strata) * se."""
        dof = max(self.n - self.strata, 1)
        half = (_T95[dof - 1] if dof <= len(_T95) else _Z95) * self.se
        return self.value - half, self.value + half

    def minus(self, other: Estimate) -> Estimate:
        """Difference of two estimates from independent pictures."""
        return Estimate(self.value - other.value, math.hypot(self.se, other.se), min(self.n, other.n), self.strata)

    def over(self, other: Estimate) -> Estimate:
        """Ratio of two estimates from independent pictures (first-order error propagation).

        Raises:
            ZeroDivisionError: ``other.value`` is 0.
        """
        ratio = self.value / other.value
        se = math.hypot(self.se, ratio * other.se) / abs(other.value)
        return Estimate(ratio, se, min(self.n, other.n), self.strata)

    def complement(self) -> Estimate:
        """``1 - value`` with the same error."""
        return Estimate(1.0 - self.value, self.se, self.n, self.strata)


def jackknife(statistic: Callable[[np.ndarray], float], n: int, strata: np.ndarray | None = None) -> Estimate:
    """``statistic`` of all indices 0..n-1, with its leave-one-out standard error.

    sqrt(sum over strata of (n_s - 1) / n_s * sum_i (m_-i - mean_s)^2), Efron & Tibshirani 1993,
    eq. 11.5, stratum by stratum (Wolter 2007, 4.5). Pairs of pictures share pictures, so the spread
    over pairs would be far too small; leaving out whole pictures is not.

    Args:
        statistic: takes the kept indices, returns a number, or NaN where it is undefined.
        strata: (n,) the group of each index, such as its prompt; how groups differ is no error.
    """
    everyone = np.arange(n)
    left_out = np.array([statistic(np.delete(everyone, i)) for i in range(n)], dtype=np.float64)
    return from_left_out(float(statistic(everyone)), left_out, strata)


def from_left_out(value: float, left_out: np.ndarray, strata: np.ndarray | None = None) -> Estimate:
    """The jackknife's estimate from the statistic of all and (n,) those with one index left out each."""
    n = len(left_out)
    groups = np.zeros(n, dtype=np.int64) if strata is None else strata
    variance = 0.0
    for group in np.unique(groups):
        usable = left_out[(groups == group) & np.isfinite(left_out)]
        if len(usable) > 1:
            spread = float(((usable - usable.mean()) ** 2).sum())
            variance += (len(usable) - 1) / len(usable) * spread
    return Estimate(value, math.sqrt(variance), n, len(np.unique(groups)))


def wilson(hits: int, n: int, z: float = _Z95) -> tuple[float, float]:
    """Wilson's interval of the proportion ``hits / n`` (1927); (0, 1) when n is 0.

    Three of three is no more than "at least 53 %" at 90 %.
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
