"""Faces by BlazeFace (Bazarevsky et al. 2019), from the outputs of MediaPipe's two detectors.

The full-range network sees groups, the short-range one close-ups; what neither sees is looked for
with room around the picture, and then in parts of it. Every candidate still has to pass the mesh.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .raster import Picture, Square, around
from .runtime import Network

MIN_SCORE = 0.5
"""From here on a candidate is looked at; one that is nearly as good only says that a face may have been missed."""
_FAINT_SCORE = 0.25
_SAME_OVERLAP = 0.3
_PADS = (0.25,)
_TILE = 0.6


@dataclass(frozen=True)
class Found:
    """A candidate: box (left, top, right, bottom) and 6 points in pixels of the picture."""

    box: np.ndarray
    points: np.ndarray
    """(6, 2): the eyes from the left of the image, nose, mouth, ears."""
    score: float


@dataclass(frozen=True)
class Detector:
    """``grids``: (cells along a side, anchors per cell) of the network's outputs."""

    network: Network
    grids: tuple[tuple[int, int], ...]

    def look(self, picture: Picture, square: Square) -> list[Found]:
        """Candidates in one square of the picture, best first, without repetitions.

        Where there is none, the best of the faint ones, of a score below :data:`MIN_SCORE`.
        """
        size = self.network.size_px
        pixels = picture.cut(square, size).astype(np.float32) / 127.5 - 1
        boxes, logits = _boxes_and_scores(self.network(pixels))
        scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        good = np.flatnonzero(scores >= MIN_SCORE)
        if not len(good):
            good = np.flatnonzero(scores >= max(_FAINT_SCORE, float(scores.max())))[:1]
        values = boxes[good].reshape(len(good), boxes.shape[1] // 2, 2) / size  # centre, size, points
        middles = anchors(self.grids)[good][:, None]
        values[:, [0]] += middles
        values[:, 2:] += middles
        return _merged([_placed(v, float(s), square) for v, s in zip(values, scores[good], strict=True)])


def full_range(network: Network) -> Detector:
    return Detector(network, ((48, 1),))


def short_range(network: Network) -> Detector:
    return Detector(network, ((16, 2), (8, 6)))


def find_faces(picture: Picture, far: Detector, near: Detector) -> Iterator[list[Found]]:
    """Candidates, from the cheapest way of looking to the dearest; stop at the first that holds a face."""
    whole = around(picture.width, picture.height)
    yield merge(far.look(picture, whole), near.look(picture, whole))
    for pad in _PADS:
        wide = around(picture.width, picture.height, pad)
        yield merge(far.look(picture, wide), near.look(picture, wide))
    yield merge(*(far.look(picture, tile) for tile in _tiles(picture)))


def merge(*lists: Sequence[Found]) -> list[Found]:
    """One list without repetitions, best first."""
    everything = [f for found in lists for f in found]
    return _merged([f for f in everything if f.score >= MIN_SCORE]) or _merged(everything)


@lru_cache(maxsize=4)
def anchors(grids: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(n, 2) middles of the anchors in shares of the square: rows of cells, each with its anchors."""
    parts = []
    for cells, each in grids:
        y, x = np.mgrid[0:cells, 0:cells]
        middles = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        parts.append(np.repeat(middles, each, axis=0))
    return np.concatenate(parts).astype(np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


def _boxes_and_scores(outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(anchors, 16) and (anchors,) whichever comes first in the file."""
    wide, narrow = sorted(outputs, key=lambda o: -o.shape[-1])
    return wide[0], narrow[0, :, 0]


def _placed(values: np.ndarray, score: float, square: Square) -> Found:
    centre, size, points = values[0], values[1], values[2:]
    corners = np.stack([centre - size / 2, centre + size / 2])
    return Found(square.to_picture(corners).ravel(), square.to_picture(points), score)


def _merged(found: list[Found]) -> list[Found]:
    """Weighted non-maximum suppression: overlapping candidates become their mean, the best score counts."""
    left = sorted(found, key=lambda f: -f.score)
    out: list[Found] = []
    while left:
        group = [f for f in left if overlap(f.box, left[0].box) > _SAME_OVERLAP] or left[:1]
        left = [f for f in left if all(f is not g for g in group)]
        weights = np.array([f.score for f in group])
        box = np.average([f.box for f in group], axis=0, weights=weights)
        points = np.average([f.points for f in group], axis=0, weights=weights)
        out.append(Found(box, points, group[0].score))
    return out


def _tiles(picture: Picture) -> Iterator[Square]:
    """Five overlapping squares of 0.6 of the longer side that meet the picture: four corners, middle."""
    long = max(picture.width, picture.height)
    side = _TILE * long
    for sx, sy in ((-1, -1), (1, -1), (0, 0), (-1, 1), (1, 1)):
        x = picture.width / 2 + sx * max(0.0, picture.width - side) / 2
        y = picture.height / 2 + sy * max(0.0, picture.height - side) / 2
        yield Square(x, y, side)
