"""How wide the edges are: the blur of a photo in pixels, whatever its contrast, noise or subject.

Re-blur ratio of Zhuo & Sim, "Defocus map estimation from a single image", Pattern Recognition 44
(2011): a step edge that a blur of sigma softened has a gradient of 1 / sqrt(sigma^2 + s^2) after a
further blur of s, so that two such gradients give sigma. The gradients are taken where edges are
strong, per tile of the picture, and the sharpest tiles decide: a blurred background is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from ..dataset.filters import gaussian, smoothed_rows, strips

MAX_PX = 8.0
"""What is reported for pictures without one measurable edge."""

_FINE, _COARSE = 1.0, 2.0
_TILES = 8
_EDGE_SHARE = 0.04
"""Share of a tile's pixels, those with the strongest gradient, that is taken for its edges."""
_SHARPEST = 25
"""Percentile of the tiles, from the sharp end, that stands for the picture."""
_LARGE_PX = 512
"""From this side on every second pixel of both axes is enough."""
_MIN_GRADIENT = 0.35
"""Grey levels per pixel below which nothing is an edge."""
_MIN_SHARE = 0.2
"""Share of the strongest tile's gradient below which a tile holds grain rather than edges."""


def blur_px(luma: np.ndarray, grey_noise: float | None = None) -> float:
    """Standard deviation in pixels of the blur of the sharpest regions; (h, w) grey 0..255 in.

    ``grey_noise`` is the picture's :func:`noise`, where it is known already.

    Upright and level edges are judged apart and the softer kind counts, so that a moved camera
    shows. 0 is perfectly crisp, ordinary sharp photos give .3 to 1.5; at most :data:`MAX_PX`.
    """
    if min(luma.shape) < 3 * _TILES:
        luma = np.pad(luma, 3 * _TILES, mode="edge")
    grain = 5 * (noise(luma) if grey_noise is None else grey_noise) * 0.2 / _COARSE**2
    step = 2 if min(luma.shape) >= _LARGE_PX else 1
    across: list[tuple[float, float]] = []
    along: list[tuple[float, float]] = []
    for fine, coarse in _bands(luma, step):
        for edges, axis in ((across, 0), (along, 1)):
            edges += [_edges(f, c) for f, c in _tiles(_slope(fine, axis, step), _slope(coarse, axis, step))]
    found = [b for b in (_blur_of(across, grain), _blur_of(along, grain)) if b is not None]
    return max(found) if found else MAX_PX


def _bands(luma: np.ndarray, step: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The picture after a fine and after a coarse blur, in :data:`_TILES` bands of rows for :func:`_slope`."""
    fine, coarse = gaussian(_FINE), gaussian(_COARSE)
    radius, inner = len(coarse) // 2, (len(coarse) - len(fine)) // 2
    wide = np.pad(luma, radius, mode="edge")
    slopes = -(-(len(luma) - 2) // step)  # one row of slopes for three rows of the picture
    for first, last in pairwise(np.linspace(0, slopes, _TILES + 1).astype(int)):
        part = wide[first * step : (last - 1) * step + 3 + 2 * radius]
        yield smoothed_rows(part[inner:-inner, inner:-inner], fine), smoothed_rows(part, coarse)


def _blur_of(tiles: Sequence[tuple[float, float]], grain: float) -> float | None:
    """Blur along one axis from the edges of all tiles; None where no tile has an edge above ``grain``."""
    strongest = max(power for power, _ in tiles)
    floor = max(_MIN_GRADIENT, grain, _MIN_SHARE * strongest**0.5)
    found = [_blur(along / power) for power, along in tiles if power >= floor**2]
    return float(np.percentile(found, _SHARPEST)) if found else None


def noise(luma: np.ndarray) -> float:
    """Standard deviation of the noise in grey levels (Immerkaer 1996), on the calmest part of the picture."""
    rows, columns = ((s - 2) // 16 * 16 for s in luma.shape)
    if not rows or not columns:
        return float(np.sqrt(np.pi / 2) / 6 * _second_differences(luma.astype(np.float32)).mean())
    blocks = []
    for start, count in strips(rows):  # of a multiple of 16 rows
        both = _second_differences(luma[start : start + count + 2, : columns + 2].astype(np.float32, copy=False))
        blocks.append(both.reshape(count // 16, 16, columns // 16, 16).sum(axis=1).sum(axis=2))
    return float(np.sqrt(np.pi / 2) / 6 * np.percentile(np.concatenate(blocks) / 256, 30))


def _second_differences(x: np.ndarray) -> np.ndarray:
    """|second difference of the second difference| across both axes, (h - 2, w - 2)."""
    second = x[:-2] - 2 * x[1:-1] + x[2:]
    return np.abs(second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:])


def _slope(x: np.ndarray, axis: int, step: int) -> np.ndarray:
    """Central differences along ``axis`` at every ``step``-th pixel of both axes, without the border."""
    if axis == 0:
        return (x[2::step, 1:-1:step] - x[:-2:step, 1:-1:step]) / 2
    return (x[1:-1:step, 2::step] - x[1:-1:step, :-2:step]) / 2


def _tiles(fine: np.ndarray, coarse: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both slopes of a band, cut into :data:`_TILES` pieces."""
    for left, right in pairwise(np.linspace(0, fine.shape[1], _TILES + 1).astype(int)):
        yield fine[:, left:right].ravel(), coarse[:, left:right].ravel()


def _edges(fine: np.ndarray, coarse: np.ndarray) -> tuple[float, float]:
    """At the steepest pixels of a tile: mean squared coarse slope, and mean product with the fine one.

    The product cancels the noise of the fine slope.
    """
    count = max(4, int(coarse.size * _EDGE_SHARE))
    best = np.argpartition(np.abs(coarse), -count)[-count:]
    steep = coarse[best]
    return float(steep @ steep) / count, float(steep @ fine[best]) / count


def _blur(ratio: float) -> float:
    """Sigma before both blurs from the ratio of fine to coarse gradient; always >= 1 at an edge."""
    if ratio**2 <= 1 + 1e-6:
        return MAX_PX
    variance = (_COARSE**2 - ratio**2 * _FINE**2) / (ratio**2 - 1)
    return float(np.clip(np.sqrt(max(0.0, variance)), 0.0, MAX_PX))
