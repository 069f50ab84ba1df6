"""Small smoothing filters on grey pictures, in numpy."""

from __future__ import annotations

from typing import Literal

import numpy as np


def gaussian(sigma: float) -> np.ndarray:
    """Weights (2 * ceil(3 sigma) + 1,) float32 of sum 1."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def smoothed(x: np.ndarray, weights: np.ndarray, border: Literal["edge", "wrap"] = "edge") -> np.ndarray:
    """``x`` (h, w) convolved with ``weights`` along both axes; beyond the border it goes on or around."""
    radius = len(weights) // 2
    for axis in (0, 1):
        size = x.shape[axis]
        at = np.arange(-radius, size + radius)
        wide = np.take(x, at % size if border == "wrap" else at.clip(0, size - 1), axis=axis)
        out = np.zeros_like(x)
        for i, weight in enumerate(weights):
            out += weight * (wide[i : i + size] if axis == 0 else wide[:, i : i + size])
        x = out
    return x
