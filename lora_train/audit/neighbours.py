"""Which photos of a set are alike, exactly and for all pairs, without ever holding a full table of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BLOCK_ROWS = 512


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A symmetric relation of n photos. ``others[starts[i]:starts[i + 1]]`` are the neighbours of photo i."""

    starts: np.ndarray
    others: np.ndarray

    def of(self, i: int) -> np.ndarray:
        """Indices of the photos alike photo ``i``, ascending, without itself."""
        return self.others[self.starts[i] : self.starts[i + 1]]


def neighbours(n: int, block: Callable[[slice], np.ndarray]) -> Neighbours:
    """Collect a relation from ``block(rows)``, which gives booleans (rows, n).

    Memory grows with :data:`BLOCK_ROWS` times n and the number of pairs found, not with n squared.
    """
    counts, found = np.zeros(n + 1, np.int64), [np.zeros(0, np.int32)]
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, min(n, start + BLOCK_ROWS))
        alike = block(rows)
        alike[np.arange(alike.shape[0]), np.arange(rows.start, rows.stop)] = False
        counts[rows.start + 1 : rows.stop + 1] = np.count_nonzero(alike, axis=1)
        found.append(np.nonzero(alike)[1].astype(np.int32))
    return Neighbours(np.cumsum(counts), np.concatenate(found))


def leaders(alike: Neighbours, members: np.ndarray, also: Neighbours | None = None) -> list[list[int]]:
    """Split ``members`` (ascending indices) into groups that are alike their first member.

    A photo joins the first group whose first photo it is alike (in ``also`` as well, where it is given), so
    that no chain of small changes builds up. Every member is in exactly one group, often alone.
    """
    free = np.zeros(len(alike.starts) - 1, bool)
    free[members] = True
    groups = []
    for first in members.tolist():
        if not free[first]:
            continue
        near = alike.of(first)
        if also is not None and len(near):
            near = np.intersect1d(near, also.of(first), assume_unique=True)
        joined = near[free[near]]
        free[first] = False
        free[joined] = False
        groups.append([first, *joined.tolist()])
    return groups
