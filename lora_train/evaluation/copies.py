"""Is a generated picture one of the training photos again, perhaps mirrored?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.hashes import SIDE_PX, THUMB_PX, as_bits, differing, phash

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


@dataclass(frozen=True)
class Prints:
    """What n pictures are recognised by: hash bits (n, 64), those of the mirror images, tiny copies (n, 16, 16, 3)."""

    bits: np.ndarray
    mirrored: np.ndarray
    thumbs: np.ndarray


def prints_of(images: Sequence[Image]) -> Prints:
    """Hashes and tiny copies of pictures."""
    from PIL.Image import Resampling

    grey = [np.asarray(image.convert("L").resize((SIDE_PX, SIDE_PX), Resampling.LANCZOS)) for image in images]
    small = [np.asarray(image.convert("RGB").resize((THUMB_PX, THUMB_PX), Resampling.BOX)) for image in images]
    pairs = [phash(one) for one in grey]
    thumbs = np.stack(small) if small else np.zeros((0, THUMB_PX, THUMB_PX, 3), np.uint8)
    return Prints(as_bits([h for h, _ in pairs]), as_bits([m for _, m in pairs]), thumbs)


def compare_looks(ours: Prints, photos: Prints) -> Looks:
    """Hashes and tiny copies of n pictures against m photos and their mirror images.

    The two are used together: hashes of two drawn portraits of one person can agree by chance, and so
    can the colours of two photos of one place.
    """
    straight, turned = differing(ours.bits, photos.bits), differing(ours.bits, photos.mirrored)
    flipped = turned < straight
    plain = likenesses(ours.thumbs, photos.thumbs)
    turned_likeness = likenesses(ours.thumbs, photos.thumbs[:, :, ::-1])
    alike = np.where(flipped, turned_likeness, plain)
    return Looks(np.minimum(straight, turned).astype(np.int64), alike, flipped)


def likenesses(ours: np.ndarray, photos: np.ndarray) -> np.ndarray:
    """(n, m) :func:`..dataset.hashes.likeness` of tiny copies (n, h, w, 3) and (m, h, w, 3)."""
    a, b = _centred(ours), _centred(photos)
    flat = np.outer(np.abs(a).sum(axis=1) == 0, np.abs(b).sum(axis=1) == 0)
    return np.where(flat, 1.0, a @ b.T)


def most_copied(copies: Sequence[Nearest]) -> int | None:
    """The photo that at least half of two or more copies repeat, else None."""
    if len(copies) < 2:
        return None
    photo, count = Counter(c.photo for c in copies).most_common(1)[0]
    return photo if 2 * count >= len(copies) else None


def _centred(thumbs: np.ndarray) -> np.ndarray:
    """Rows of length 1 around 0; zeros for a copy of one single value."""
    rows = thumbs.reshape(len(thumbs), -1).astype(np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(sizes > 1e-9, rows / np.maximum(sizes, 1e-9), 0.0)
