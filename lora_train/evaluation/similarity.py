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
    """Mean cosine over the pairs of unit rows (n, d) of each group, averaged over the groups.

    Pictures of different prompts differ because they were asked to; they are never paired. The value
    is NaN when no group has two members; the error is the jackknife's within groups.
    """
    n = len(embeddings)
    groups = group_ids(None, n) if groups is None else groups
    cosines = np.asarray(embeddings, np.float64) @ np.asarray(embeddings, np.float64).T
    return from_left_out(within_groups(cosines, groups), within_groups_left_out(cosines, groups), groups)


def within_groups(cosines: np.ndarray, groups: np.ndarray) -> float:
    """Mean over groups of the mean cosine (n, n) of their pairs; NaN when there is no pair."""
    means = [_pair_mean(cosines[np.ix_(rows, rows)]) for rows in _members(groups) if len(rows) > 1]
    return float(np.mean(means)) if means else float("nan")


def within_groups_left_out(cosines: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) :func:`within_groups` without picture i, in closed form: a set of a thousand costs one look at it.

    Without picture i of a group of m the sum over its pairs loses twice row i.
    """
    members = _members(groups)
    means = np.array([_pair_mean(cosines[np.ix_(rows, rows)]) for rows in members])
    found = np.empty(len(groups))
    for g, rows in enumerate(members):
        part, size = cosines[np.ix_(rows, rows)], len(rows)
        others = np.delete(means, g)
        others = others[np.isfinite(others)]
        own = np.full(size, np.nan)
        if size > 2:
            total = part.sum() - np.trace(part)
            own = (total - 2 * (part.sum(axis=1) - part.diagonal())) / ((size - 1) * (size - 2))
        count = len(others) + np.isfinite(own)
        sums = others.sum() + np.nan_to_num(own)
        found[rows] = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return found


def _members(groups: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(groups == g) for g in np.unique(groups)]


def _pair_mean(part: np.ndarray) -> float:
    size = len(part)
    return float((part.sum() - np.trace(part)) / (size * (size - 1))) if size > 1 else float("nan")
