"""Light on a face, and whether something lies over it; from the pixels under the mesh.

Skin is never judged by its own brightness alone: halves are compared with each other, and regions of
one face with its cheeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dataset.colour import lab, luminance
from .mesh import OVAL, Mesh
from .raster import Picture, Square, line_angle

_SIZE_PX = 128
_BURNT = 250
_LEFT_CHEEK, _RIGHT_CHEEK = (50, 205, 187), (280, 425, 411)
_PAIRS = ((50, 280), (205, 425), (187, 411), (101, 330), (36, 266), (212, 432), (69, 299))
"""Places on both halves that mirror each other: cheeks, beside nose and mouth, forehead."""
_CHEEK_RADIUS = 0.06
"""Half the side of a cheek patch in widths of the face."""
_FLOOR = 0.005
"""Linear luminance added to both cheeks: sensor noise in black is no contrast."""
_LENS = ((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
         (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382))  # fmt: skip
_UPPER = (9, 8, 107, 336, 66, 296, 105, 334, 117, 346, 118, 347, 6, 197)
"""Forehead above the brows, bridge of the nose, top of the cheeks."""
_LOWER = (216, 436, 212, 432, 186, 410, 18, 200, 199, 32, 262, 164, 0, 17)
"""Around the mouth and on the chin."""


@dataclass(frozen=True)
class Skin:
    """See the fields of the same names in :class:`.types.Face`."""

    shadow_stops: float
    light: float
    clipped_share: float
    covered: float


def judge_skin(picture: Picture, mesh: Mesh) -> Skin:
    """Light and cover of the face under ``mesh``, on a levelled square of 128 px."""
    square = _square(mesh)
    pixels = picture.cut(square, _SIZE_PX)
    places = _places(mesh, square)
    inside = _filled(places[list(OVAL)])
    light, colours = luminance(pixels), lab(pixels)
    burnt = (pixels.max(axis=2) >= _BURNT) & (light >= 0.4)
    return Skin(
        shadow_stops=_shadow_stops(light, places),
        light=float(np.median(light[inside])) if inside.any() else 0.0,
        clipped_share=float(burnt[inside].mean()) if inside.any() else 0.0,
        covered=max(_sunglasses(light, places), _mask(colours, places)),
    )


def _shadow_stops(light: np.ndarray, places: np.ndarray) -> float:
    """Median over the pairs of places: a lock of hair over one cheek is no shadow of a half."""
    radius = _CHEEK_RADIUS * float(np.linalg.norm(places[454] - places[234]))
    stops = []
    for pair in _PAIRS:
        left, right = (float(np.median(_patches(light, places[[i]], radius))) + _FLOOR for i in pair)
        stops.append(np.log2(left / right))
    return abs(float(np.median(stops)))


def _sunglasses(light: np.ndarray, places: np.ndarray) -> float:
    """0..1: both eyes, with lids and brows' lower edge, are evenly far darker than the cheeks."""
    radius = _CHEEK_RADIUS * float(np.linalg.norm(places[454] - places[234]))
    cheeks = np.concatenate([_patches(light, places[list(c)], radius) for c in (_LEFT_CHEEK, _RIGHT_CHEEK)])
    skin = float(np.median(cheeks)) + _FLOOR
    gaps = []
    for outline in _LENS:
        points = places[list(outline)]
        middle = points.mean(axis=0)
        lens = _filled(middle + (points - middle) * np.array([1.3, 2.6]))
        values = light[lens] if lens.any() else np.array([skin])
        # The bright side counts: an open eye has white in it, a lens has none.
        gaps.append(np.log2(skin / (float(np.percentile(values, 80)) + _FLOOR)))
    return float(np.clip((min(gaps) - 0.6) / 1.6, 0, 1))


def _mask(colours: np.ndarray, places: np.ndarray) -> float:
    """0..1: mouth and chin have another colour than forehead, nose and cheeks, and no lips stand out."""
    upper = _patches(colours, places[list(_UPPER)], 2.0)
    lower = _patches(colours, places[list(_LOWER)], 2.0)
    gap = np.median(lower, axis=0) - np.median(upper, axis=0)
    chroma, tone = float(np.hypot(gap[1], gap[2])), abs(float(gap[0]))
    lips = float(np.median(_patches(colours, places[[0, 17, 37, 267, 84, 314]], 1.5)[:, 1]))
    around = float(np.median(_patches(colours, places[[164, 18, 216, 436, 200]], 1.5)[:, 1]))
    pale_lips = np.clip((6.0 - (lips - around)) / 6.0, 0, 1)
    return float(np.clip((chroma + 0.25 * tone - 16.0) / 16.0, 0, 1) * pale_lips)


def _square(mesh: Mesh) -> Square:
    p = mesh.points[:, :2]
    angle = line_angle(p[33], p[263])
    left, top, right, bottom = mesh.box
    side = 1.1 * max(right - left, bottom - top)
    return Square((left + right) / 2, (top + bottom) / 2, side, angle)


def _places(mesh: Mesh, square: Square) -> np.ndarray:
    """(468, 2) pixels in the cut-out."""
    c, s = np.cos(-square.angle), np.sin(-square.angle)
    x, y = mesh.points[:, 0] - square.x, mesh.points[:, 1] - square.y
    return (np.stack([c * x - s * y, s * x + c * y], axis=1) / square.side + 0.5) * _SIZE_PX


def _filled(outline: np.ndarray) -> np.ndarray:
    """Boolean (128, 128): inside of a polygon."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (_SIZE_PX, _SIZE_PX), 0)
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in outline], fill=1)
    return np.asarray(canvas, bool)


def _patches(values: np.ndarray, middles: np.ndarray, radius: float) -> np.ndarray:
    """All values in squares around ``middles``, pooled: (n,) or (n, 3)."""
    reach = max(1, round(radius))
    parts = []
    for x, y in np.clip(np.round(middles).astype(int), reach, _SIZE_PX - 1 - reach):
        patch = values[y - reach : y + reach + 1, x - reach : x + reach + 1]
        parts.append(patch.reshape(-1, *values.shape[2:]))
    return np.concatenate(parts)
