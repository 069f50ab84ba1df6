"""Colour numbers: light as light (linear), and colour distances as eyes see them (CIE Lab)."""

from __future__ import annotations

import numpy as np

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Rec. 709 weights of red, green and blue."""

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32)
_WHITE = np.array([0.9505, 1.0, 1.089], np.float32)
_LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (i / 255 for i in range(256))],
    np.float32,
)


def linear(rgb: np.ndarray) -> np.ndarray:
    """Linear light 0..1 (h, w, 3) float32 of sRGB (h, w, 3) uint8 (IEC 61966-2-1)."""
    return _LINEAR[rgb]


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Linear luminance 0..1 (h, w) float32 of sRGB (h, w, 3) uint8."""
    return linear(rgb) @ LUMA


def luma(rgb: np.ndarray) -> np.ndarray:
    """Perceived grey 0..255 (h, w) float32 of sRGB (h, w, 3) uint8."""
    return rgb.astype(np.float32) @ LUMA


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* (h, w, 3) float32 of sRGB (h, w, 3) uint8; L 0..100, D65."""
    t = linear(rgb) @ _XYZ.T / _WHITE
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
