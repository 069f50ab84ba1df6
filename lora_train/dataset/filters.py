"""Small smoothing filters on grey pictures, in numpy."""

from __future__ import annotations

from typing import Literal

import numpy as np

_STRIP_ROWS = 48


def gaussian(sigma: float) -> np.ndarray:
    """Weights (2 * ceil(3 sigma) + 1,) float32 of sum 1."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def smoothed(x: np.ndarray, weights: np.ndarray, border: Literal["edge", "wrap"] = "edge") -> np.ndarray:
    """``x`` (h, w) convolved with symmetric ``weights`` along both axes; beyond the border it goes on or around.

    Works in strips of rows that stay in the processor's cache.
    """
    radius, mode = len(weights) // 2, border
    height, width = x.shape
    wide = np.pad(x, radius, mode=mode)
    out = np.empty_like(x)
    for start in range(0, height, _STRIP_ROWS):
        count = min(height - start, _STRIP_ROWS)
        rows = [wide[start + k : start + k + count] for k in range(2 * radius + 1)]
        strip = _weighted(rows, weights)  # (count, width + 2 radius)
        out[start : start + count] = _weighted([strip[:, k : k + width] for k in range(2 * radius + 1)], weights)
    return out


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
