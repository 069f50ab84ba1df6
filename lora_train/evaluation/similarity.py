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
    """Mean cosine over the pairs of unit rows (n, d) of each group, averaged over the groups.

    Pictures of different prompts differ because they were asked to; they are never paired. The value
    is NaN when no group has two members; the error is the jackknife's within groups.
    """
    n = len(embeddings)
    groups = group_ids(None, n) if groups is None else groups
    cosines = embeddings @ embeddings.T
    return jackknife(lambda kept: within_groups(cosines, groups, kept), n, groups)


def within_groups(cosines: np.ndarray, groups: np.ndarray, kept: np.ndarray) -> float:
    """Mean over groups of the mean cosine of their ``kept`` pairs; NaN when there is no pair."""
    means = []
    for group in np.unique(groups[kept]):
        rows = kept[groups[kept] == group]
        size = len(rows)
        if size > 1:
            part = cosines[np.ix_(rows, rows)]
            means.append((part.sum() - np.trace(part)) / (size * (size - 1)))
    return float(np.mean(means)) if means else float("nan")
