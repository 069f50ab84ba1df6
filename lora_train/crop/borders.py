"""Empty borders: the bars of a video still, the frame of a scan, the white around a screenshot."""

from __future__ import annotations

import numpy as np

from .geometry import Box

_FLAT = 3.0
"""Standard deviation in grey levels up to which a line is of one colour; JPEG leaves that much."""
_SAME = 6.0
"""Grey levels by which the lines of one border may differ."""
_STEP = 12.0
"""Grey levels by which the picture differs from its border."""
_SHARP = 0.4
"""Share of the first line of the picture that has to differ: a head before a plain wall is no border."""
_LEAST, _MOST = 0.008, 0.35
"""Widths that a border may have, in shares of the side."""


def content_box(rgb: np.ndarray) -> Box:
    """The picture inside its borders, in shares, of (h, w, 3) uint8; the whole where there is no border."""
    pixels = rgb.astype(np.float32)
    top, bottom = _ends(pixels)
    rows = pixels[round(top * len(pixels)) : round(bottom * len(pixels))]
    left, right = _ends(rows.transpose(1, 0, 2))
    return Box(left, top, right, bottom)


def _ends(lines: np.ndarray) -> tuple[float, float]:
    """First and last line of the picture in (n, m, 3), in shares of n."""
    n = len(lines)
    return _border(lines) / n, 1 - _border(lines[::-1]) / n


def _border(lines: np.ndarray) -> int:
    """How many lines at the start are one border."""
    n = len(lines)
    colour = np.median(lines[0], axis=0)
    for i in range(min(n, int(_MOST * n) + 2)):
        line = lines[i]
        if line.std(axis=0).max() > _FLAT or np.abs(line.mean(axis=0) - colour).max() > _SAME:
            break
    else:
        return 0
    if not _LEAST * n <= i <= _MOST * n:
        return 0
    # Scaling may have mixed the first line; the one after it tells.
    after = lines[min(i + 1, n - 1)]
    differs = np.abs(after - colour).max(axis=1) > _STEP
    return min(i + 1, n - 1) if differs.mean() >= _SHARP else 0
