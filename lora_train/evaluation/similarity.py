"""How alike the pictures of a set are: the mean cosine over pairs, within one prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .statistics import Estimate, jackknife


def group_ids(labels: Sequence[str] | None, n: int) -> np.ndarray:
    """(n,) integers, equal where ``labels`` are equal; all 0 without labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    order = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([order[label] for label in labels], dtype=np.int64)


def mean_pairwise(embeddings: np.ndarray, groups: np.ndarray | None = None) -> Estimate:
    """Mean cosine over all pairs of unit rows (n, d) that share a group, with jackknife error.

    Pictures of different prompts differ because they were asked to; they are never paired. The value
    is NaN when no group has two members.
    """
    n = len(embeddings)
    groups = group_ids(None, n) if groups is None else groups
    cosines = embeddings @ embeddings.T
    paired = groups[:, None] == groups[None, :]
    np.fill_diagonal(paired, False)

    def mean(kept: np.ndarray) -> float:
        mask = paired[np.ix_(kept, kept)]
        return float(cosines[np.ix_(kept, kept)][mask].mean()) if mask.any() else float("nan")

    return jackknife(mean, n)
