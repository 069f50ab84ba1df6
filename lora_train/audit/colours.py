"""What a filter does to a picture as a whole: contrast, strength and number of its colours."""

from __future__ import annotations

import numpy as np

_COLOURED = 6.0
"""Mean chroma from which there is a hue to speak of."""


def contrast(luma: np.ndarray) -> float:
    """Grey levels 0..255 between the darkest and the brightest hundredth of a grey picture (h, w)."""
    low, high = np.percentile(luma, (1, 99))
    return float(high - low)


def chroma(lab: np.ndarray) -> float:
    """Mean strength of the colours, CIE Lab chroma, 0 for grey; (h, w, 3) in."""
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def hue_spread(lab: np.ndarray) -> float | None:
    """How far the colours lie off one single hue, in Lab units; about 0 for sepia and duotone.

    The root mean square of the component across the mean colour. None for pictures without colour.
    """
    ab = lab[..., 1:].reshape(-1, 2).astype(np.float64)
    if float(np.hypot(*ab.T).mean()) < _COLOURED:
        return None
    mean = ab.mean(axis=0)
    size = float(np.hypot(*mean))
    if size < 1.0:  # no common hue at all
        return float(np.sqrt((ab**2).sum(axis=1).mean()))
    across = (ab @ np.array([-mean[1], mean[0]])) / size
    return float(np.sqrt((across**2).mean()))
