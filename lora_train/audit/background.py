"""What the surroundings look like, to find photos taken at the same place.

Without a person mask the border stands for the background: the top fifth and both sides down to
three quarters of the height. Colours are compared by Hellinger's affinity of soft Lab histograms,
the layout by correlation of the border cells of a tiny copy.
"""

from __future__ import annotations

import numpy as np

from ..dataset.colour import lab

_BINS = (6, 8, 8)
_LOW = np.array([0.0, -64.0, -64.0], np.float32)
_HIGH = np.array([100.0, 64.0, 64.0], np.float32)


def border(side: int) -> np.ndarray:
    """Boolean (side, side): the part of a squeezed photo that counts as background."""
    y, x = np.mgrid[0:side, 0:side] / side
    return (y < 0.2) | (((x < 0.15) | (x >= 0.85)) & (y < 0.75))


def colours(rgb: np.ndarray) -> np.ndarray:
    """Square root of the soft Lab histogram of the border, (384,) float32 of unit length, from (s, s, 3)."""
    points = lab(rgb)[border(rgb.shape[0])]  # (n, 3)
    counts = np.array(_BINS)
    at = np.clip((points - _LOW) / (_HIGH - _LOW), 0, 1) * (counts - 1)
    below = np.minimum(at.astype(int), counts - 2)
    part = at - below
    histogram = np.zeros(_BINS)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        np.add.at(histogram, tuple((below + corner).T), weight)
    return np.sqrt(histogram / max(1e-12, histogram.sum())).ravel().astype(np.float32)


def layout(thumb: np.ndarray) -> np.ndarray:
    """The border cells of a tiny copy (s, s, 3), without mean and contrast: a vector of unit length or 0."""
    cells = thumb[border(thumb.shape[0])].astype(np.float32).ravel()
    cells -= cells.mean()
    return cells / max(1e-3, float(np.linalg.norm(cells)))


def same_place(
    colour_rows: np.ndarray, layout_rows: np.ndarray, min_colours: float, min_layout: float
) -> np.ndarray:
    """Boolean (n, n) from the rows of n photos: alike in colours (Hellinger) and layout (correlation).

    A border of one plain colour has no layout; two of them are told by their colours alone.
    """
    plain = np.linalg.norm(layout_rows, axis=1) < 0.5
    alike = layout_rows @ layout_rows.T >= min_layout
    return (colour_rows @ colour_rows.T >= min_colours) & (alike | (plain[:, None] & plain[None, :]))
