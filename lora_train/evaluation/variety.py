"""How much do pictures of one prompt differ, and how much of the base model's variety is left?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .erase import without
from .similarity import group_ids, mean_pairwise, within_groups, within_groups_left_out
from .statistics import Estimate, from_left_out
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
    """R = (1 - similarity) / (1 - base similarity), the person taken out; None without a usable base."""
    vendi: float
    """Effective number of different pictures in the whole set, 1..n."""
    share: float
    """Effective number / pictures with the person taken out, averaged over the prompts."""
    n: int


def measure_variety(
    images: np.ndarray,
    unrelated_cosine: float,
    prompts: Sequence[str] | None = None,
    base: np.ndarray | None = None,
    base_prompts: Sequence[str] | None = None,
    person: np.ndarray | None = None,
) -> Variety:
    """Variety of unit rows (n, d), optionally against the base's (m, d) for the same prompts.

    ``person`` (k, d) are the directions that tell people apart; ratio and share leave them out.
    """
    groups = group_ids(prompts, len(images))
    person = np.zeros((0, images.shape[1])) if person is None else person
    moment, similarity = without(images, person), mean_pairwise(images, groups)
    base_similarity = ratio = None
    if base is not None and len(base) >= 2:
        base_groups = group_ids(base_prompts, len(base))
        base_similarity = mean_pairwise(base, base_groups)
        ratio = ratio_to_base(moment, groups, without(base, person), base_groups)
    return Variety(
        similarity,
        base_similarity,
        ratio,
        vendi_of(images, unrelated_cosine),
        _share(moment, groups, unrelated_cosine),
        len(images),
    )


def ratio_to_base(made: np.ndarray, groups: np.ndarray, base: np.ndarray, base_groups: np.ndarray) -> Estimate | None:
    """(1 - similarity) / (1 - base similarity); None where the base hardly varies itself.

    Pictures of the same prompts and seeds are left out in pairs: they share what the seed decides, which
    makes the ratio surer than two independent sets would.
    """
    yardstick = mean_pairwise(base, base_groups).complement()
    if not yardstick.value > _FLAT:  # NaN as well
        return None
    if not np.array_equal(groups, base_groups):
        return mean_pairwise(made, groups).complement().over(yardstick)
    ours, theirs = made @ made.T, base @ base.T
    below = 1 - within_groups_left_out(theirs, groups)
    left_out = np.where(below > 0, (1 - within_groups_left_out(ours, groups)) / np.where(below > 0, below, 1), np.nan)
    value = (1 - within_groups(ours, groups)) / yardstick.value
    return from_left_out(value, left_out, groups)


def _share(images: np.ndarray, groups: np.ndarray, unrelated_cosine: float) -> float:
    members = [images[groups == g] for g in np.unique(groups)]
    shares = [vendi_of(m, unrelated_cosine) / len(m) for m in members if len(m) > 1]
    return float(np.mean(shares)) if shares else vendi_of(images, unrelated_cosine) / len(images)
