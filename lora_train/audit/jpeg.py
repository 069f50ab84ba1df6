"""Blocks that strong JPEG compression leaves: steps that repeat every eight pixels.

Only pixels that no scaling has touched still show them. The grid may lie anywhere (a cropped or a
mirrored copy shifts it), so the strongest of the eight places is compared with the others.
"""

from __future__ import annotations

import numpy as np

from ..dataset.filters import strips

GRID_PX = 8
MIDDLE_PX = 768
"""The middle of the picture of this size is enough."""


def jpeg_blocks(luma: np.ndarray) -> float | None:
    """Grey levels that steps on the block grid exceed those beside it, about 0 without; (h, w) grey in.

    The weaker direction counts: fences and tiles repeat in one, JPEG blocks in both. None where the
    picture is smaller than eight blocks.
    """
    height, width = luma.shape
    if min(height, width) < GRID_PX * GRID_PX:
        return None
    top, left = max(0, height - MIDDLE_PX) // 2, max(0, width - MIDDLE_PX) // 2
    part = luma[top : top + MIDDLE_PX, left : left + MIDDLE_PX]
    return min(_steps(part), _steps(np.ascontiguousarray(part.T)))


def _steps(x: np.ndarray) -> float:
    """The largest mean step between neighbouring columns minus the median one, by place in the grid.

    A step is what a column differs from its neighbour beyond the slope on both sides of it, so that
    smooth shading does not count.
    """
    columns = np.zeros(x.shape[1] - 3)
    for start, count in strips(len(x)):
        part = x[start : start + count]
        first = np.abs(part[:, 1:] - part[:, :-1])
        bend = first[:, 1:-1] - (first[:, :-2] + first[:, 2:]) / 2
        columns += np.abs(np.clip(bend, -2, 8)).sum(axis=0)  # strong edges of the picture itself count little
    columns /= len(x)
    usable = len(columns) // GRID_PX * GRID_PX
    by_place = columns[:usable].reshape(-1, GRID_PX).mean(axis=0)
    return float(by_place.max() - np.median(by_place))
