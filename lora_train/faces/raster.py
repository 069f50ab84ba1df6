"""Squares cut out of a picture, turned and scaled to what a network reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Square:
    """A turned square in pixels of the picture; ``angle`` is in radians, + is clockwise on the screen."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 2 or 3) in shares of the square to pixels of the picture; depth is only scaled."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        u, v = (points[:, 0] - 0.5) * self.side, (points[:, 1] - 0.5) * self.side
        columns = [self.x + c * u - s * v, self.y + s * u + c * v]
        return np.stack([*columns, *(points[:, 2:3].T * self.side)], axis=1)


class Picture:
    """An RGB picture with halved copies of itself, so that a small square is never sampled too coarsely."""

    def __init__(self, image: Image) -> None:
        self.image = image.convert("RGB")
        self.width, self.height = self.image.size

    @cached_property
    def _levels(self) -> list[Image]:
        return [self.image]

    def _level(self, shrink: float) -> Image:
        """The picture reduced by the power of two that is not above ``shrink``."""
        wanted = max(0, int(math.log2(max(1.0, shrink))))
        while len(self._levels) <= wanted and min(self._levels[-1].size) >= 2:
            self._levels.append(self._levels[-1].reduce(2))
        return self._levels[min(wanted, len(self._levels) - 1)]

    def cut(self, square: Square, size_px: int, mirror: bool = False) -> np.ndarray:
        """(size_px, size_px, 3) uint8 of a square; black where it leaves the picture."""
        from PIL.Image import Resampling, Transform

        level = self._level(square.side / size_px)
        fx, fy = level.width / self.width, level.height / self.height
        step = square.side / size_px
        c, s = math.cos(square.angle) * step, math.sin(square.angle) * step
        a, d = (-c, -s) if mirror else (c, s)
        half = size_px / 2
        left = square.x - a * half + s * half
        top = square.y - d * half - c * half
        matrix = (a * fx, -s * fx, left * fx, d * fy, c * fy, top * fy)
        size = (size_px, size_px)
        return np.asarray(level.transform(size, Transform.AFFINE, matrix, Resampling.BILINEAR))

    def squeezed(self, size_px: int) -> np.ndarray:
        """(size_px, size_px, 3) uint8 of the whole picture, whatever its shape."""
        from PIL.Image import Resampling

        small = self.image.resize((size_px, size_px), Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(small)

    def region(self, box: tuple[float, float, float, float], long_side_px: int) -> np.ndarray:
        """(h, w, 3) uint8 of a box in pixels, cut at the picture's border; longer side ``long_side_px``."""
        from PIL.Image import Resampling

        left, top = max(0.0, box[0]), max(0.0, box[1])
        right, bottom = min(float(self.width), box[2]), min(float(self.height), box[3])
        if right - left < 1 or bottom - top < 1:
            return np.zeros((1, 1, 3), np.uint8)
        scale = long_side_px / max(right - left, bottom - top)
        size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        cut = self.image.resize(size, Resampling.BICUBIC, box=(left, top, right, bottom), reducing_gap=3.0)
        return np.asarray(cut)


def around(width: float, height: float, pad: float = 0.0) -> Square:
    """The upright square that holds a whole picture, with ``pad`` of its longer side on every side."""
    return Square(width / 2, height / 2, max(width, height) * (1 + 2 * pad))


def line_angle(start: np.ndarray, end: np.ndarray) -> float:
    """Angle of the line between two points; 0 is level, from left to right."""
    return math.atan2(float(end[1] - start[1]), float(end[0] - start[0]))
