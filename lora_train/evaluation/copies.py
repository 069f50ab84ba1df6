"""Is a generated picture one of the training photos again, perhaps mirrored?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.hashes import SIDE_PX, THUMB_PX, as_bits, differing, likeness, phash

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
    likeness: float
    """Correlation of tiny colour copies, -1 to 1, the same way round as the hash."""
    is_mirrored: bool
    is_copy: bool


@dataclass(frozen=True)
class Looks:
    """Pixels compared: (n, m) arrays of n pictures with m photos, the better of both ways round."""

    bits: np.ndarray
    likeness: np.ndarray
    mirrored: np.ndarray


def nearest_photos(
    cosines: np.ndarray, looks: Looks, *, copy_cosine: float, copy_bits: int, copy_likeness: float
) -> tuple[Nearest, ...]:
    """The nearest training photo of each generated picture.

    A copy by its pixels (hash and colours agree) goes before a copy by embedding; without either the
    highest cosine is named.

    Args:
        cosines: (n, m) between n generated pictures and m training photos; the higher one of the
            photo and its mirror image.
        copy_cosine, copy_bits, copy_likeness: at least, at most, at least: a copy.
    """
    same = (looks.bits <= copy_bits) & (looks.likeness >= copy_likeness)
    found = []
    for i in range(len(cosines)):
        j = int(np.where(same[i], looks.bits[i], 65).argmin()) if same[i].any() else int(cosines[i].argmax())
        copied = bool(same[i, j] or cosines[i, j] >= copy_cosine)
        found.append(
            Nearest(
                i,
                j,
                float(cosines[i, j]),
                int(looks.bits[i, j]),
                float(looks.likeness[i, j]),
                bool(looks.mirrored[i, j]),
                copied,
            )
        )
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


def compare_looks(images: Sequence[Image], photos: Sequence[Image]) -> Looks:
    """Hashes and tiny copies of n pictures against m photos and their mirror images.

    The two are used together: hashes of two drawn portraits of one person can agree by chance, and so
    can the colours of two photos of one place.
    """
    ours, theirs = _hashed(images), _hashed(photos)
    straight, turned = differing(ours[0], theirs[0]), differing(ours[0], theirs[1])
    flipped = turned < straight
    small, known = [_thumb(image) for image in images], [_thumb(photo) for photo in photos]
    alike = [
        [likeness(a, b[:, ::-1] if flipped[i, j] else b) for j, b in enumerate(known)] for i, a in enumerate(small)
    ]
    return Looks(np.minimum(straight, turned).astype(np.int64), np.array(alike), flipped)


def most_copied(copies: Sequence[Nearest]) -> int | None:
    """The photo that at least half of two or more copies repeat, else None."""
    if len(copies) < 2:
        return None
    photo, count = Counter(c.photo for c in copies).most_common(1)[0]
    return photo if 2 * count >= len(copies) else None


def _hashed(images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 64) bits of n pictures, and of their mirror images."""
    from PIL import Image as pil

    size, way = (SIDE_PX, SIDE_PX), pil.Resampling.LANCZOS
    pairs = [phash(np.asarray(image.convert("L").resize(size, way))) for image in images]
    return as_bits([p[0] for p in pairs]), as_bits([p[1] for p in pairs])


def _thumb(image: Image) -> np.ndarray:
    from PIL import Image as pil

    return np.asarray(image.convert("RGB").resize((THUMB_PX, THUMB_PX), pil.Resampling.BOX))
