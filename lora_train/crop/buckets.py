"""The sizes that a model is trained at: about the same number of pixels, different shapes."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import BadInputError
from ..say import say
from .geometry import Extent, aspect_gap

MAX_ASPECT = 2.0
_SMALL_PX = 256
_SQUARE_BONUS = 0.6
"""Below :data:`_SMALL_PX` a square is taken up to about 1.9:1; every pixel counts and shapes mix badly."""


def bucket_step(resolution_px: int) -> int:
    """Step between bucket sides: 64 px where it divides the resolution and leaves room, else 32, 16 or 8.

    Raises:
        BadInputError: the resolution is no multiple of 8, or out of 64 to 4096.
    """
    if resolution_px % 8 or not 64 <= resolution_px <= 4096:
        raise BadInputError(say("photos.resolution_range", n=resolution_px))
    return next(s for s in (64, 32, 16, 8) if resolution_px % s == 0 and s * 3 <= resolution_px)


def buckets(resolution_px: int) -> tuple[tuple[int, int], ...]:
    """All (width, height) for a resolution: area about its square, aspects from 1:2 to 2:1, wide ones last.

    Raises:
        BadInputError: as :func:`bucket_step`.
    """
    step, area = bucket_step(resolution_px), resolution_px**2
    found = set()
    for width in range(step, resolution_px * 2 + 1, step):
        height = max(step, round(area / width / step) * step)
        if 1 / MAX_ASPECT <= width / height <= MAX_ASPECT:
            found |= {(width, height), (height, width)}
    return tuple(sorted(found))


def resolution_of(sizes: Collection[tuple[int, int]]) -> int:
    """The resolution whose :func:`buckets` these (width, height) are, a multiple of 32.

    Of several the one nearest to the median area's square; where no resolution has them all, that side itself.
    """
    areas = sorted(width * height for width, height in sizes)
    side = areas[len(areas) // 2] ** 0.5
    near = sorted(range(64, 4097, 32), key=lambda resolution_px: abs(resolution_px - side))
    return next((r for r in near[:5] if set(sizes) <= set(buckets(r))), near[0])


def nearest_bucket(shape: Extent, resolution_px: int) -> tuple[int, int]:
    """The bucket whose aspect is nearest to that of ``shape``; small resolutions prefer the square."""
    bonus = _SQUARE_BONUS if resolution_px < _SMALL_PX else 0.0

    def gap(bucket: tuple[int, int]) -> float:
        width, height = bucket
        return aspect_gap(shape.aspect, width / height) - (bonus if width == height else 0.0)

    return min(buckets(resolution_px), key=gap)
