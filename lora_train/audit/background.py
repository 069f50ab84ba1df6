"""What the surroundings look like, to find photos taken at the same place.

Without a person mask the border stands for the background: the top fifth and both sides down to
three quarters of the height. Colours are compared by Hellinger's affinity of soft Lab histograms,
the layout by correlation of the border cells of a tiny copy.
"""

from __future__ import annotations

import numpy as np

from ..dataset.colour import lab

_SLOPE = 5.0
_BINS = (6, 8, 8)
_LOW = np.array([0.0, -64.0, -64.0], np.float32)
_HIGH = np.array([100.0, 64.0, 64.0], np.float32)


def border(height: int, width: int | None = None) -> np.ndarray:
    """Boolean (height, width), or square: the part of a photo that counts as background."""
    width = width or height
    y, x = np.arange(height)[:, None] / height, np.arange(width)[None, :] / width
    return (y < 0.2) | (((x < 0.15) | (x >= 0.85)) & (y < 0.75))


def colours(rgb: np.ndarray) -> np.ndarray:
    """Square root of the soft Lab histogram of the border, (384,) float32 of unit length, from (s, s, 3)."""
    return histogram(rgb[border(rgb.shape[0])])


def histogram(points: np.ndarray) -> np.ndarray:
    """Square root of the soft Lab histogram of sRGB pixels (n, 3) uint8: (384,) float32 of unit length."""
    values = lab(points)  # (n, 3)
    counts = np.array(_BINS)
    at = np.clip((values - _LOW) / (_HIGH - _LOW), 0, 1) * (counts - 1)
    below = np.minimum(at.astype(int), counts - 2)
    part = at - below
    strides = np.array([_BINS[1] * _BINS[2], _BINS[2], 1])
    total = np.zeros(counts.prod())
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        total += np.bincount((below + corner) @ strides, weight, len(total))
    return np.sqrt(total / max(1e-12, total.sum())).astype(np.float32)


def layout(thumb: np.ndarray) -> np.ndarray:
    """The border cells of a tiny copy (s, s, 3), without mean and contrast: a vector of unit length or 0."""
    cells = thumb[border(thumb.shape[0])].astype(np.float32).ravel()
    cells -= cells.mean()
    return cells / max(1e-3, float(np.linalg.norm(cells)))


def edge_share(luma: np.ndarray) -> float:
    """Share 0..1 of the border's pixels that lie on an edge; grey (h, w) of some 256 px in.

    An edge is a slope of more than five grey levels per pixel (Sobel above 40).
    """
    y = (luma[2:, 1:-1] - luma[:-2, 1:-1]) / 2
    x = (luma[1:-1, 2:] - luma[1:-1, :-2]) / 2
    return float((np.hypot(x, y) > _SLOPE)[border(*luma.shape)[1:-1, 1:-1]].mean()) if x.size else 0.0


def colour_bits(rgb: np.ndarray) -> float:
    """Entropy 0..5 bits of the border's colours in 32 kinds: 4 of red, 4 of green, 2 of blue."""
    points = rgb[border(*rgb.shape[:2])].astype(int)
    kinds = (points[:, 0] // 64) * 8 + (points[:, 1] // 64) * 2 + points[:, 2] // 128
    share = np.bincount(kinds, minlength=32) / max(1, len(kinds))
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())
