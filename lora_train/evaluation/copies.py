"""Is a generated picture one of the training photos again, perhaps mirrored?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .phash import distances, mirrored, phash

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Nearest:
    """The training photo that a generated picture is closest to."""

    image: int
    """Index of the generated picture."""
    photo: int
    """Index of the training photo."""
    cosine: float
    bits: int
    """Differing hash bits, of the photo or its mirror image."""
    is_mirrored: bool
    is_copy: bool


def nearest_photos(
    cosines: np.ndarray, bits: np.ndarray, bits_mirrored: np.ndarray, copy_cosine: float, copy_bits: int
) -> tuple[Nearest, ...]:
    """The nearest training photo of each generated picture.

    A copy by hash goes before a copy by embedding; without either the highest cosine is named.

    Args:
        cosines: (n, m) between n generated pictures and m training photos; the higher one of the
            photo and its mirror image.
        bits, bits_mirrored: (n, m) hash distances to the photos and to their mirror images.
        copy_cosine, copy_bits: at least, at most: a copy.
    """
    both = np.minimum(bits, bits_mirrored)
    found = []
    for i in range(len(cosines)):
        j = int(both[i].argmin()) if both[i].min() <= copy_bits else int(cosines[i].argmax())
        copied = bool(both[i, j] <= copy_bits or cosines[i, j] >= copy_cosine)
        turned = bool(bits_mirrored[i, j] < bits[i, j])
        found.append(Nearest(i, j, float(cosines[i, j]), int(both[i, j]), turned, copied))
    return tuple(found)


def copy_cosine_of(reference: np.ndarray, floor: float) -> float:
    """From which cosine on a picture counts as a copy of unit rows ``reference`` (m, d).

    The 99th percentile of how close the training photos are to each other (nearest neighbours), and
    never below ``floor``: a set of alike photos must not make every picture of that person a copy.
    """
    if len(reference) < 3:
        return floor
    cosines = reference @ reference.T
    np.fill_diagonal(cosines, -1.0)
    return max(floor, min(0.995, float(np.percentile(cosines.max(axis=1), 99))))


def hash_distances(images: Sequence[Image], photos: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """Hash distances (n, m) of n pictures to m photos, and to the mirrored photos."""
    ours = _hashes(images)
    return distances(ours, _hashes(photos)), distances(ours, _hashes([mirrored(p) for p in photos]))


def most_copied(copies: Sequence[Nearest]) -> int | None:
    """The photo that at least half of two or more copies repeat, else None."""
    if len(copies) < 2:
        return None
    photo, count = Counter(c.photo for c in copies).most_common(1)[0]
    return photo if 2 * count >= len(copies) else None


def _hashes(images: Sequence[Image]) -> np.ndarray:
    return np.stack([phash(image) for image in images]) if images else np.zeros((0, 64), bool)
