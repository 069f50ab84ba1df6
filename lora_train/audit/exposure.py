"""Whether a photo is under- or over-exposed where the subject is likely to be.

Night and snow are no faults: darkness is judged by the brightest tenth of the middle of the picture,
brightness by what is burnt out there without being a white backdrop, and by missing shadows.
"""

from __future__ import annotations

import numpy as np

from ..dataset.colour import luminance

_CLIPPED = 252
_WHITE_LIGHT = 0.4
"""Linear luminance from which a clipped channel means light, not a saturated colour."""


def centre(height: int, width: int) -> np.ndarray:
    """Boolean (height, width): an ellipse in the middle, a little above it, over a third of the picture."""
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    return ((x - 0.5) / 0.3) ** 2 + ((y - 0.46) / 0.4) ** 2 <= 1


def light(values: np.ndarray) -> float:
    """Linear luminance 0..1 that a tenth of the middle of (h, w) reaches; low only where nothing is lit."""
    return float(np.percentile(values[centre(*values.shape)], 90))


def burnt_share(rgb: np.ndarray, values: np.ndarray | None = None) -> float:
    """Share 0..1 of the subject's place where a channel is clipped to white.

    The subject's place is the middle without the white backdrop: what is clipped in all channels
    and joined to the border of the picture. ``values``: the luminance of ``rgb`` (h, w, 3), if known.
    """
    values = luminance(rgb) if values is None else values
    high = [rgb[..., channel] >= _CLIPPED for channel in range(3)]
    clipped = (high[0] | high[1] | high[2]) & (values >= _WHITE_LIGHT)
    backdrop = _joined_to_border(high[0] & high[1] & high[2])
    place = centre(*clipped.shape) & ~backdrop
    return float(clipped[place].mean()) if place.any() else 1.0


def shadow_light(values: np.ndarray) -> float:
    """Linear luminance 0..1 below which only the darkest 2 % of (h, w) lie; high when washed out."""
    return float(np.percentile(values, 2))


def _joined_to_border(mask: np.ndarray) -> np.ndarray:
    """The part of a boolean (h, w) mask that is connected to the picture's border (4 neighbours)."""
    joined = np.zeros_like(mask)
    if not mask.any():
        return joined
    joined[[0, -1]] = mask[[0, -1]]
    joined[:, [0, -1]] = mask[:, [0, -1]]
    while True:
        grown = joined.copy()
        grown[1:] |= joined[:-1]
        grown[:-1] |= joined[1:]
        grown[:, 1:] |= joined[:, :-1]
        grown[:, :-1] |= joined[:, 1:]
        grown &= mask
        if grown.sum() == joined.sum():
            return joined
        joined = grown
