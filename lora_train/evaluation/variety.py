"""How much do pictures of one prompt differ, and how much of the base model's variety is left?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .similarity import group_ids, mean_pairwise
from .statistics import Estimate
from .vendi import vendi_of

_FLAT = 0.01
"""A base whose pictures differ by less than this cannot serve as a yardstick."""


@dataclass(frozen=True)
class Variety:
    """Variety within a prompt."""

    similarity: Estimate
    """Mean pairwise cosine within prompts."""
    base_similarity: Estimate | None
    ratio: Estimate | None
    """R = (1 - similarity) / (1 - base similarity); None without a usable base."""
    vendi: float
    """Effective number of different pictures in the whole set, 1..n."""
    share: float
    """Effective number / pictures, averaged over the prompts."""
    n: int


def measure_variety(
    images: np.ndarray,
    unrelated_cosine: float,
    prompts: Sequence[str] | None = None,
    base: np.ndarray | None = None,
    base_prompts: Sequence[str] | None = None,
) -> Variety:
    """Variety of unit rows (n, d), optionally against the base's (m, d) for the same prompts."""
    groups = group_ids(prompts, len(images))
    similarity = mean_pairwise(images, groups)
    base_similarity = ratio = None
    if base is not None and len(base) >= 2:
        base_similarity = mean_pairwise(base, group_ids(base_prompts, len(base)))
        if base_similarity.complement().value > _FLAT:  # False for NaN as well
            ratio = similarity.complement().over(base_similarity.complement())
    return Variety(
        similarity, base_similarity, ratio, vendi_of(images, unrelated_cosine),
        _share(images, groups, unrelated_cosine), len(images),
    )


def _share(images: np.ndarray, groups: np.ndarray, unrelated_cosine: float) -> float:
    members = [images[groups == g] for g in np.unique(groups)]
    shares = [vendi_of(m, unrelated_cosine) / len(m) for m in members if len(m) > 1]
    return float(np.mean(shares)) if shares else vendi_of(images, unrelated_cosine) / len(images)
