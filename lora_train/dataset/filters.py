"""Small smoothing filters on grey pictures, in numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

STRIP_ROWS = 48
"""Rows that are worked on at once: what is made of them stays in the processor's cache."""


def gaussian(sigma: float) -> np.ndarray:
    """Weights (2 * ceil(3 sigma) + 1,) float32 of sum 1."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def smoothed(x: np.ndarray, weights: np.ndarray, border: Literal["edge", "wrap"] = "edge") -> np.ndarray:
    """``x`` (h, w) convolved with symmetric ``weights`` along both axes; beyond the border it goes on or around."""
    radius = len(weights) // 2
    wide = np.pad(x, radius, mode=border)
    out = np.empty(x.shape, np.float32)
    for start, count in strips(len(x)):
        out[start : start + count] = smoothed_rows(wide[start : start + count + 2 * radius], weights)
    return out


def smoothed_rows(wide: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(h, w) float32 convolved with symmetric ``weights``; their radius r of neighbours is around: (h + 2r, w + 2r)."""
    taps = range(len(weights))
    height, width = (side - len(weights) + 1 for side in wide.shape)
    rows = wide.astype(np.float32, copy=False)
    down = _weighted([rows[k : k + height] for k in taps], weights)  # (h, w + 2r)
    return _weighted([down[:, k : k + width] for k in taps], weights)


def strips(height: int) -> Iterator[tuple[int, int]]:
    """Start and number of rows of strips of :data:`STRIP_ROWS` that cover ``height``; the last may be lower."""
    for start in range(0, height, STRIP_ROWS):
        yield start, min(height - start, STRIP_ROWS)


def _weighted(shifted: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Sum of equally large arrays times symmetric weights."""
    radius = len(weights) // 2
    total = shifted[radius] * weights[radius]
    pair = np.empty_like(total)
    for k in range(1, radius + 1):
        np.add(shifted[radius - k], shifted[radius + k], out=pair)
        pair *= weights[radius + k]
        total += pair
    return total
