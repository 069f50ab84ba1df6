"""Fingerprints that tell the same picture again: a perceptual hash and a tiny copy.

The hash is pHash: low frequencies of a cosine transform against their median (C. Zauner,
"Implementation and benchmarking of perceptual image hash functions", 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

SIDE_PX = 32
BITS = 64
THUMB_PX = 16


def phash(grey: np.ndarray) -> tuple[int, int]:
    """64-bit hashes of a grey (32, 32) picture and of its mirror image.

    The same content gives 0 to 4 differing bits after scaling and JPEG, unrelated photos over 20.
    """
    low = _cosines() @ grey.astype(np.float64) @ _cosines().T  # (8, 8), rows = vertical frequencies
    # Mirroring changes the sign of the odd horizontal frequencies.
    return _bits(low), _bits(low * np.where(np.arange(8) % 2, -1.0, 1.0))


def distance(a: int, b: int) -> int:
    """Number of differing bits."""
    return bin(a ^ b).count("1")


def as_bits(hashes: Sequence[int]) -> np.ndarray:
    """(n, 64) float32 of zeros and ones."""
    raw = np.frombuffer(b"".join(h.to_bytes(8, "big") for h in hashes), np.uint8)
    return np.unpackbits(raw).reshape(-1, BITS).astype(np.float32)


def differing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Number of differing bits (n, m) between hashes (n, 64) and (m, 64) from :func:`as_bits`."""
    return a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - 2 * a @ b.T


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation -1..1 of two tiny colour copies (h, w, 3); brightness and contrast do not count."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    if size < 1e-9:
        return 1.0 if np.allclose(x, y) else 0.0
    return float(x @ y) / size


def _bits(low: np.ndarray) -> int:
    # The first coefficient is the mean brightness: not part of the median.
    median = np.median(low.ravel()[1:])
    return int("".join("1" if v > median else "0" for v in low.ravel()), 2)


@cache
def _cosines() -> np.ndarray:
    """(8, 32): the lowest eight rows of the type-II cosine transform."""
    k, x = np.arange(8)[:, None], np.arange(SIDE_PX)[None, :]
    return np.cos(np.pi * k * (2 * x + 1) / (2 * SIDE_PX))
