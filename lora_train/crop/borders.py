"""Empty borders: the bars of a video still, the frame of a scan, the white around a screenshot."""

from __future__ import annotations

import numpy as np

from .geometry import Box

_FLAT = 1.8
"""Standard deviation in grey levels up to which a line is of one colour; JPEG leaves that much."""
_SAME = 6.0
"""Grey levels by which the lines of one border may differ."""
_STEP = 12.0
"""Grey levels by which the picture differs from its border."""
_SHARP = 0.5
"""Share of the first line of the picture that has to differ: a head before a plain wall is no border."""
_RINGING = 16
"""Lines beside the picture that JPEG blocks may have stained."""
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
    """How many lines at the start are one border: flat ones, then at once the picture."""
    n = len(lines)
    most = min(n - 1, int(_MOST * n))
    colour = np.median(lines[0], axis=0)
    head = lines[: most + 2]
    flat = (head.std(axis=1).max(axis=1) <= _FLAT) & (np.abs(head.mean(axis=1) - colour).max(axis=1) <= _SAME)
    picture = (np.abs(head - colour).max(axis=2) > _STEP).mean(axis=1) >= _SHARP
    if not picture.any() or flat.all():
        return 0
    start, end = int(picture.argmax()), int(flat.argmin())
    if end < max(2, 0.5 * _LEAST * n) or not _LEAST * n <= start <= most or start - end > max(_RINGING, 0.015 * n):
        return 0
    # Scaling may have mixed the first line of the picture.
    return start + 1
