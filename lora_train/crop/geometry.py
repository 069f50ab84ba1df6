"""Sizes and boxes in pixels, as values with verbs."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """Width and height, both positive."""

    width: float
    height: float

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def short_side(self) -> float:
        return min(self.width, self.height)

    def scaled(self, factor: float) -> Extent:
        return Extent(self.width * factor, self.height * factor)

    def fitted_into(self, outer: Extent) -> Extent:
        """The largest size of this aspect inside ``outer``."""
        return self.scaled(min(outer.width / self.width, outer.height / self.height))

    def around(self, inner: Extent) -> Extent:
        """The smallest size of this aspect that holds ``inner``."""
        return self.scaled(max(inner.width / self.width, inner.height / self.height))


@dataclass(frozen=True)
class Box:
    """A rectangle; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def whole(cls, extent: Extent) -> Box:
        return cls(0, 0, extent.width, extent.height)

    @classmethod
    def centred(cls, x: float, y: float, extent: Extent) -> Box:
        """A box of ``extent`` around the point (x, y)."""
        return cls(x - extent.width / 2, y - extent.height / 2, x + extent.width / 2, y + extent.height / 2)

    @property
    def extent(self) -> Extent:
        return Extent(self.right - self.left, self.bottom - self.top)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def scaled(self, factor: float) -> Box:
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def stretched(self, onto: Extent) -> Box:
        """Shares of a picture as pixels of ``onto``."""
        return Box(self.left * onto.width, self.top * onto.height, self.right * onto.width, self.bottom * onto.height)

    def moved(self, x: float, y: float) -> Box:
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def padded(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Grown by so much on each side."""
        return Box(self.left - left, self.top - top, self.right + right, self.bottom + bottom)

    def overlap(self, other: Box) -> Box:
        """What both have in common; without area where they do not meet."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom)))

    def pushed_into(self, outer: Box) -> Box:
        """The same size, moved as little as possible to lie in ``outer``, which must be large enough."""
        x = max(0.0, outer.left - self.left) - max(0.0, self.right - outer.right)
        y = max(0.0, outer.top - self.top) - max(0.0, self.bottom - outer.bottom)
        return self.moved(x, y)

    def snapped(self, outer: Extent) -> tuple[int, int, int, int]:
        """Whole pixels inside ``outer``: left, top, right, bottom; at least one pixel in each direction."""
        width = min(int(outer.width), max(1, round(self.right - self.left)))
        height = min(int(outer.height), max(1, round(self.bottom - self.top)))
        left = min(max(0, round(self.left)), int(outer.width) - width)
        top = min(max(0, round(self.top)), int(outer.height) - height)
        return left, top, left + width, top + height


def aspect_gap(a: float, b: float) -> float:
    """How far two aspects are apart, the same for tall and wide: 0 when equal, ln 2 for 1:1 against 2:1."""
    return abs(math.log(a / b))
