"""The person around a face: MediaPipe's selfie segmentation for all people, and what lies outside of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dataset.colour import luma
from .raster import Picture
from .runtime import Network
from .types import Background, Body, Face, Part

_SURE = 0.5
_TRUST = 0.6
"""Share of the main face's box that the mask has to cover to be believed."""
_SLOPE = 5.0
"""Grey levels per pixel from which a pixel lies on an edge at 256 px (40 in units of a plain Sobel)."""
_MIN_OUTSIDE = 0.05


@dataclass(frozen=True)
class Mask:
    """Boolean (256, 256) of the squeezed picture: where people are."""

    people: np.ndarray

    def covers(self, box: tuple[float, float, float, float]) -> float:
        """Share of a box (in shares of the picture) that lies in the mask."""
        rows, columns = _cells(box, self.people.shape)
        return float(self.people[rows, columns].mean())


def segment(network: Network, picture: Picture) -> Mask:
    """All people of the picture."""
    pixels = picture.squeezed(network.size_px).astype(np.float32) / 255
    return Mask(network(pixels)[0][0, :, :, 0] > _SURE)


def body_around(mask: Mask | None, faces: tuple[Face, ...], parts: dict[str, Part]) -> Body | None:
    """The person of the first of ``faces``: the mask joined to that face and nearer to it than to the
    others, what the face alone tells, and points of the body. None where neither mask nor points are there.
    """
    face = faces[0]
    boxes = [_box_from_face(face)]
    share = 0.0
    if mask is not None and mask.covers(face.box) >= _TRUST:
        person = joined(mask.people & nearest(faces, mask.people.shape), face.box)
        if person.any():
            boxes.append(_bounds(person))
            share = float(person.mean())
    seen = [p for p in parts.values() if p[2] >= 0.5]
    if seen:
        boxes.append((min(p[0] for p in seen), min(p[1] for p in seen),
                      max(p[0] for p in seen), max(p[1] for p in seen)))  # fmt: skip
    if len(boxes) == 1:
        return None
    left, top, right, bottom = zip(*boxes, strict=True)
    box = (max(0.0, min(left)), max(0.0, min(top)), min(1.0, max(right)), min(1.0, max(bottom)))
    return Body(box, share, parts)


def background(mask: Mask, picture: Picture, faces: tuple[Face, ...]) -> Background | None:
    """Edges and colours outside of the people; None where a face is not in the mask or nothing is left."""
    if any(mask.covers(f.box) < _TRUST for f in faces):
        return None
    pixels = picture.squeezed(mask.people.shape[0])
    outside = ~_grown(mask.people, 3)
    if outside.mean() < _MIN_OUTSIDE:
        return None
    return Background(
        edges=float((_slope(luma(pixels))[outside] > _SLOPE).mean()),
        colours_bits=_entropy_bits(pixels[outside]),
    )


def nearest(faces: tuple[Face, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Boolean ``shape``: where the first face is the nearest one, counted sideways in widths of each face
    and a little downwards, so that a body belongs to the face above it."""
    height, width = shape[:2]
    x = ((np.arange(width) + 0.5) / width)[None, :]
    y = ((np.arange(height) + 0.5) / height)[:, None]
    gaps = [
        np.abs(x - f.middle[0]) / max(1e-3, f.width) + 0.15 * np.abs(y - f.middle[1]) / max(1e-3, f.height)
        for f in faces
    ]
    return np.all([gaps[0] <= gap for gap in gaps[1:]], axis=0) if len(faces) > 1 else np.ones(shape, bool)


def joined(mask: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The part of a boolean (h, w) mask that is connected to what it has in ``box``."""
    rows, columns = _cells(box, mask.shape)
    part = np.zeros_like(mask)
    part[rows, columns] = mask[rows, columns]
    while True:
        grown = _grown(part, 4) & mask
        # Growing by several cells at once may jump a gap; one cell at a time decides at the end.
        if grown.sum() == part.sum():
            return part
        part = grown


def _grown(mask: np.ndarray, cells: int) -> np.ndarray:
    grown = mask.copy()
    for _ in range(cells):
        step = grown.copy()
        step[1:] |= grown[:-1]
        step[:-1] |= grown[1:]
        step[:, 1:] |= grown[:, :-1]
        step[:, :-1] |= grown[:, 1:]
        grown = step
    return grown


def _box_from_face(face: Face) -> tuple[float, float, float, float]:
    """Hair above the hull, and nothing below it: where the body is, the mask or the points say."""
    left, top, right, bottom = face.box
    return left, top - 0.25 * (bottom - top), right, bottom


def _bounds(mask: np.ndarray) -> tuple[float, float, float, float]:
    """Bounding box in shares, without rows and columns that hold only specks."""
    height, width = mask.shape
    rows = np.flatnonzero(mask.sum(axis=1) >= max(2, 0.01 * width))
    columns = np.flatnonzero(mask.sum(axis=0) >= max(2, 0.01 * height))
    if not len(rows) or not len(columns):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height
    left, top, right, bottom = (float(v) for v in found)
    return left, top, right, bottom


def _cells(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = shape[:2]
    left, top = min(width - 1, max(0, int(box[0] * width))), min(height - 1, max(0, int(box[1] * height)))
    right, bottom = max(left + 1, round(box[2] * width)), max(top + 1, round(box[3] * height))
    return slice(top, min(height, bottom)), slice(left, min(width, right))


def _slope(grey: np.ndarray) -> np.ndarray:
    """Length of the gradient (h, w) in grey levels per pixel, central differences."""
    p = np.pad(grey, 1, mode="edge")
    return np.hypot(p[1:-1, 2:] - p[1:-1, :-2], p[2:, 1:-1] - p[:-2, 1:-1]) / 2


def _entropy_bits(pixels: np.ndarray) -> float:
    """Entropy of 32 colours (4 x 4 x 2 levels of red, green, blue) of (n, 3) uint8."""
    code = (pixels[:, 0] >> 6) * 8 + (pixels[:, 1] >> 6) * 2 + (pixels[:, 2] >> 7)
    shares = np.bincount(code, minlength=32) / len(code)
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
