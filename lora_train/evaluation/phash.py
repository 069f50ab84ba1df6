"""Is this the same picture again? A perceptual hash of 64 bits and a tiny colour copy, to be used together.

Either alone is fooled: hashes of two drawn portraits of one person can agree by chance, and so can the
colours of two photos of one place.

The hash: low frequencies of the cosine transform against their median, as described by Neal Krawetz,
hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html (2011).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE_PX = 32
_BITS = 8
_THUMB_PX = 16


def phash(image: Image) -> np.ndarray:
    """64 booleans for a picture of any size and mode."""
    from PIL import Image as pil

    grey = image.convert("L").resize((_SIDE_PX, _SIDE_PX), pil.Resampling.LANCZOS)
    rows = _cosines()
    low = rows @ np.asarray(grey, np.float64) @ rows.T  # (8, 8)
    return (low > np.median(low)).reshape(-1)


def thumb(image: Image) -> np.ndarray:
    """A 16 x 16 colour copy as a unit vector (768,), brightness and contrast taken out."""
    from PIL import Image as pil

    small = image.convert("RGB").resize((_THUMB_PX, _THUMB_PX), pil.Resampling.BOX)
    values = np.asarray(small, np.float64).ravel()
    values -= values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-9)


def mirrored(image: Image) -> Image:
    """The picture, left and right swapped."""
    from PIL import ImageOps

    return ImageOps.mirror(image)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Differing bits (n, m) between hashes (n, 64) and (m, 64)."""
    return (a[:, None, :] != b[None, :, :]).sum(axis=2)


@cache
def _cosines() -> np.ndarray:
    k, x = np.arange(_BITS)[:, None], np.arange(_SIDE_PX)[None, :]
    return np.cos(np.pi * k * (2 * x + 1) / (2 * _SIDE_PX))  # (8, 32), type-II transform
