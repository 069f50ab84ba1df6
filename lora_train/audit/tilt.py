"""How far the camera leans, from the lines that are upright or level in the world.

Directions of strong gradients are folded by 90 degrees: a leaning camera turns uprights and levels
alike. Where no direction dominates (nature, a face before a plain wall) there is nothing to measure.
"""

from __future__ import annotations

import numpy as np

from ..dataset.filters import gaussian, smoothed

_SMOOTH_PX = 1.5
_NEAR_DEG = 2
_DOMINANT = 0.3
"""Share of the gradient energy within :data:`_NEAR_DEG` of one direction that makes it the main one;
evenly spread directions give 5 / 90 = 0.06."""
_MIN_STEP = 3.0
"""Grey levels per pixel below which nothing is a line."""
MAX_DEG = 45.0


def tilt_deg(luma: np.ndarray) -> float | None:
    """Degrees 0..45 between the main lines of a grey picture (h, w) and the nearest axis; None without."""
    luma = smoothed(luma, gaussian(_SMOOTH_PX))  # steps as steep as a pixel have no exact direction
    y = luma[2:, 1:-1] - luma[:-2, 1:-1]
    x = luma[1:-1, 2:] - luma[1:-1, :-2]
    strength = np.hypot(x, y) / 2
    strong = strength >= max(_MIN_STEP, float(np.percentile(strength, 80)))
    if strong.mean() < 0.005:
        return None
    degrees = np.rad2deg(np.arctan2(y[strong], x[strong])) % 90
    energy = np.bincount((degrees * 2).astype(int) % 180, strength[strong], 180)  # half degrees
    around = np.sum([np.roll(energy, k) for k in range(-2 * _NEAR_DEG, 2 * _NEAR_DEG + 1)], axis=0)
    best = int(np.argmax(around))
    if around[best] < _DOMINANT * energy.sum():
        return None
    # The centre of mass around the peak is finer than the bins.
    offsets = np.arange(-2 * _NEAR_DEG, 2 * _NEAR_DEG + 1)
    weights = energy[(best + offsets) % 180]
    peak = ((best + float((weights * offsets).sum() / weights.sum())) / 2 + 0.25) % 90
    return float(min(peak, 90 - peak))
