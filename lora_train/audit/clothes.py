"""What the person wears, as a fingerprint: the colours of a patch below the chin.

The patch is 2.5 face widths wide and 2 face heights high and starts under the neck, so it is on the
chest from close portraits to full length. Where less than a third of it is in the photo, nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .background import histogram

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..faces.types import People

_WIDTH, _HEIGHT, _BELOW = 2.5, 2.0, 0.35
"""In face widths, face heights, and face heights below the chin."""
_LEAST_SHARE = 1 / 3
_LEAST_PX = 8
_SIDE_PX = 48

Box = tuple[float, float, float, float]


def clothes_box(face: Box) -> Box | None:
    """left, top, right, bottom of the patch in shares of the photo; None where too little of it is inside."""
    left, top, right, bottom = face
    width, height = right - left, bottom - top
    middle, start = (left + right) / 2, bottom + _BELOW * height
    whole = (middle - _WIDTH / 2 * width, start, middle + _WIDTH / 2 * width, start + _HEIGHT * height)
    inside = (max(0.0, whole[0]), max(0.0, whole[1]), min(1.0, whole[2]), min(1.0, whole[3]))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None
    area = (inside[2] - inside[0]) * (inside[3] - inside[1])
    return inside if area >= _LEAST_SHARE * _WIDTH * width * _HEIGHT * height else None


def clothes(image: Image, people: People) -> np.ndarray | None:
    """Unit vector (384,) float32 of the clothes of the largest face; None where they are not seen."""
    from PIL.Image import Resampling

    if people.main is None or (share := clothes_box(people.main.box)) is None:
        return None
    left, right = (round(v * image.width) for v in (share[0], share[2]))
    top, bottom = (round(v * image.height) for v in (share[1], share[3]))
    if min(right - left, bottom - top) < _LEAST_PX:
        return None
    patch = image.resize((_SIDE_PX, _SIDE_PX), Resampling.BOX, (left, top, right, bottom))
    return histogram(np.asarray(patch).reshape(-1, 3))
