"""Drawing with Pillow in a person's own coordinates, with enough pixels to be smooth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from PIL import Image, ImageDraw

RGB = tuple[int, int, int]
Point = tuple[float, float]


def shade(color: RGB, amount: float) -> RGB:
    """Darker (-1 .. 0) or lighter (0 .. 1) than ``color``."""
    target = 255 if amount > 0 else 0
    k = abs(amount)
    r, g, b = (round(c + (target - c) * k) for c in color)
    return (r, g, b)


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """``a`` at t = 0, ``b`` at t = 1."""
    r, g, bl = (round(x + (y - x) * t) for x, y in zip(a, b, strict=True))
    return (r, g, bl)


def oval(cx: float, cy: float, rx: float, ry: float, power: float = 2.0, points: int = 36) -> list[Point]:
    """Superellipse |x/rx|^p + |y/ry|^p = 1; power 2 is an ellipse, larger is squarer."""
    out = []
    for i in range(points):
        c, s = math.cos(2 * math.pi * i / points), math.sin(2 * math.pi * i / points)
        out.append(
            (cx + rx * math.copysign(abs(c) ** (2 / power), c), cy + ry * math.copysign(abs(s) ** (2 / power), s))
        )
    return out


def curve(a: Point, control: Point, b: Point, points: int = 12) -> list[Point]:
    """Quadratic Bezier from ``a`` to ``b``."""
    ts = [i / (points - 1) for i in range(points)]
    return [
        tuple(
            (1 - t) ** 2 * p + 2 * t * (1 - t) * q + t * t * r  # type: ignore[misc]
            for p, q, r in zip(a, control, b, strict=True)
        )
        for t in ts
    ]


@dataclass
class Brush:
    """Draws shapes given in units of ``scale`` px around ``origin``, rotated by ``tilt_deg``."""

    image: Image.Image
    origin: Point
    scale: float
    tilt_deg: float = 0.0
    _draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self._draw = ImageDraw.Draw(self.image)
        angle = math.radians(self.tilt_deg)
        self._cos, self._sin = math.cos(angle), math.sin(angle)

    def at(self, point: Point) -> Point:
        x, y = point
        return (
            self.origin[0] + self.scale * (x * self._cos - y * self._sin),
            self.origin[1] + self.scale * (x * self._sin + y * self._cos),
        )

    def fill(self, points: list[Point], color: RGB) -> None:
        self._draw.polygon([self.at(p) for p in points], fill=color)

    def line(self, points: list[Point], color: RGB, width: float) -> None:
        thick = max(1, round(width * self.scale))
        path = [self.at(p) for p in points]
        self._draw.line(path, fill=color, width=thick, joint="curve")
        for x, y in (path[0], path[-1]):
            r = thick / 2
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def disc(self, cx: float, cy: float, r: float, color: RGB) -> None:
        self.fill(oval(cx, cy, r, r, points=24), color)


def gradient(size: tuple[int, int], top: RGB, bottom: RGB) -> Image.Image:
    """Vertical gradient."""
    column = Image.new("RGB", (1, 32))
    for y in range(32):
        column.putpixel((0, y), mix(top, bottom, y / 31))
    return column.resize(size, Image.Resampling.BILINEAR)


def jitter(color: RGB, rng: Random, amount: int = 14) -> RGB:
    """A colour close to ``color``."""
    r, g, b = (max(0, min(255, c + rng.randint(-amount, amount))) for c in color)
    return (r, g, b)
