"""How alike the pictures of a set are: the mean cosine over pairs, within one prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .statistics import Estimate, from_left_out


def group_ids(labels: Sequence[str] | None, n: int) -> np.ndarray:
    """(n,) integers, equal where ``labels`` are equal; all 0 without labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    order = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([order[label] for label in labels], dtype=np.int64)


def mean_pairwise(embeddings: np.ndarray, groups: np.ndarray | None = None) -> Estimate:
    """Mean cosine over all pairs of unit rows (n, d) that are of one group.

    Pictures of different prompts differ because they were asked to; they are never paired. The value
    is NaN when no group has two members; the error is the jackknife's within groups.
    """
    n = len(embeddings)
    groups = group_ids(None, n) if groups is None else groups
    cosines = np.asarray(embeddings, np.float64) @ np.asarray(embeddings, np.float64).T
    return from_left_out(within_groups(cosines, groups), within_groups_left_out(cosines, groups), groups)


def within_groups(cosines: np.ndarray, groups: np.ndarray) -> float:
    """Mean cosine (n, n) over the pairs within groups; NaN when there is no pair.

    Every pair counts the same, so that a prompt with many pictures says more than one with two.
    """
    sums, counts = _by_row(cosines, groups)
    return float(sums.sum() / counts.sum()) if counts.sum() else float("nan")


def within_groups_left_out(cosines: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) :func:`within_groups` without picture i: the sum over all pairs loses twice row i."""
    sums, counts = _by_row(cosines, groups)
    left = counts.sum() - 2 * counts
    return np.where(left > 0, (sums.sum() - 2 * sums) / np.maximum(left, 1), np.nan)


def _by_row(cosines: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each picture: the sum of its cosines to the others of its group (n,), and how many they are."""
    paired = groups[:, None] == groups[None, :]
    np.fill_diagonal(paired, False)
    return np.where(paired, cosines, 0.0).sum(axis=1), paired.sum(axis=1)
