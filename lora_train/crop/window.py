"""The window of a bucket's shape that serves best: every shape, size and place is tried and priced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .buckets import buckets
from .geometry import Box, Extent, aspect_gap

MAX_UPSCALE = 1.25
"""A cut-out that is enlarged more than this is used, with a warning."""
SMALL_PX = 256
"""Below this resolution every pixel counts and shapes mix badly: squares are preferred."""

_HEAD_CUT, _MUST_CUT, _NEED_CUT, _AIR, _SHAPE, _JOINT = 500.0, 50.0, 4.0, 1.0, 0.35, 0.15
_OTHER, _ENLARGED, _SQUARE = 2.0, 2.0, 0.35
"""Price of a whole of: the head cut off, what must stay cut off, what is wanted cut off, air, another
shape (ln of the aspects), a joint at the edge, another face inside, one more fold of enlargement; and what
a square is worth at small sizes."""
_SIZES = (1.0, 1.06, 1.14)
_SHIFTS = (0.0, -0.05, 0.05, -0.1, 0.1)


@dataclass(frozen=True)
class Wanted:
    """What a crop is for, in pixels of the photo."""

    need: Box
    """Should be inside, with the air that belongs to it."""
    must: Box
    """Is never cut where the photo has it and a bucket can hold it."""
    head: Box
    """Comes before everything."""
    above: float
    """Share of spare height that goes above ``need``."""
    joints_y: tuple[float, ...] = ()
    joint_gap: float = 0.0
    """No lower edge nearer than this to one of ``joints_y``."""
    others: tuple[Box, ...] = ()
    """Faces that do not belong into the crop."""


def best_window(wanted: Wanted, photo: Extent, resolution_px: int) -> tuple[Box, tuple[int, int]]:
    """The cheapest window inside the photo, and its bucket."""
    priced = (
        (_price(window, bucket, wanted, photo, resolution_px), bucket, window)
        for bucket in buckets(resolution_px)
        for window in _windows(bucket, wanted, photo)
    )
    _, bucket, window = min(priced, key=lambda p: (round(p[0], 6), p[1]))
    return window, bucket


def share_inside(inner: Box, outer: Box) -> float:
    """How much of ``inner`` lies in ``outer``, 0 to 1."""
    return inner.overlap(outer).area / inner.area if inner.area > 0 else 1.0


def _windows(bucket: tuple[int, int], wanted: Wanted, photo: Extent) -> Iterator[Box]:
    shape, whole = Extent(*bucket), Box.whole(photo)
    around = shape.around(wanted.need.extent)
    least = shape.scaled(1 / MAX_UPSCALE)
    largest = shape.fitted_into(photo)
    for size in _SIZES:
        window = around.scaled(size)
        window = window if window.width >= least.width else least
        window = window if window.width <= largest.width else largest
        spare = window.height - wanted.need.extent.height
        top = wanted.need.top - (wanted.above * spare if spare > 0 else 0.0)
        x = wanted.need.centre[0] - window.width / 2
        for across in (0.0, -0.07, 0.07, -0.14, 0.14, -0.21, 0.21) if wanted.others else (0.0,):
            for shift in _SHIFTS:
                left, y = x + across * window.width, top + shift * window.height
                yield Box(left, y, left + window.width, y + window.height).pushed_into(whole)


def _price(window: Box, bucket: tuple[int, int], wanted: Wanted, photo: Extent, resolution_px: int) -> float:
    price = _HEAD_CUT * (1 - share_inside(wanted.head, window))
    price += _MUST_CUT * (1 - share_inside(wanted.must, window))
    price += _NEED_CUT * (1 - share_inside(wanted.need, window))
    price += _AIR * (1 - wanted.need.overlap(window).area / window.area)
    price += _SHAPE * aspect_gap(wanted.need.extent.aspect, window.extent.aspect)
    price += _OTHER * sum(share_inside(other, window) for other in wanted.others)
    price += _ENLARGED * max(0.0, bucket[0] / window.extent.width - MAX_UPSCALE)
    at_edge = window.bottom >= photo.height - 1
    if not at_edge and any(abs(window.bottom - y) < wanted.joint_gap for y in wanted.joints_y):
        price += _JOINT
    spare = window.extent.height - wanted.need.extent.height
    price += abs(wanted.need.top - window.top - max(0.0, wanted.above * spare)) / window.extent.height
    if resolution_px < SMALL_PX and bucket[0] == bucket[1]:
        price -= _SQUARE
    return price
