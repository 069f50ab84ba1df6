"""Letters in the picture, without a model: date stamps, captions, watermarks, screenshots.

A line of text is a level band of many steep strokes up and down in brightness, side by side without
a gap, calm above and below, whose pixels are of two levels: ink and ground. Hair, leaves and fabric
have the strokes, not the rest. What is found is a hint ("looks like letters"), never a reason to reject.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_CELL = 8
_STEP = 14.0
"""Grey levels between neighbouring pixels that make a stroke's side."""
_STROKES = 1.0 / 16
"""Share of a cell's pixels that have to be steep, up and down each."""
_LEAST_CELLS = 6
_HIGHEST_CELLS = 4
_TWO_LEVELS = 0.78
"""Share of the variance between the two halves (Otsu); a normal distribution has 0.64, a flat one 0.75."""
_SCALES = (1, 2, 4)
_MOST_BANDS = 400


def text_share(luma: np.ndarray) -> float:
    """Share 0..1 of a grey picture (h, w, 0..255) that lines of text cover; letters 8 px and higher."""
    covered = np.zeros((max(1, luma.shape[0] // _CELL), max(1, luma.shape[1] // _CELL)), bool)
    for scale in _SCALES:
        small = _reduced(luma, scale)
        if min(small.shape) < 4 * _CELL:
            break
        for top, bottom, left, right in _lines(small):
            covered[top * scale : bottom * scale, left * scale : right * scale] = True
    return float(covered.mean())


def _reduced(luma: np.ndarray, scale: int) -> np.ndarray:
    height, width = (s // scale * scale for s in luma.shape)
    return luma[:height, :width].reshape(height // scale, scale, width // scale, scale).mean(axis=(1, 3))


def _lines(luma: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Lines of text as cells: top, bottom, left, right, exclusive at the end."""
    strokes = _stroke_cells(luma)
    for count, (top, bottom, left, right) in enumerate(_bands(strokes)):
        if count >= _MOST_BANDS:
            return
        piece = luma[top * _CELL : bottom * _CELL, left * _CELL : right * _CELL]
        if two_levels(piece) >= _TWO_LEVELS:
            yield top, bottom, left, right


def _stroke_cells(luma: np.ndarray) -> np.ndarray:
    """Boolean cells in which brightness goes steeply up and down again, about as often."""
    step = np.diff(luma, axis=1, append=luma[:, -1:])
    rows, columns = (s // _CELL for s in luma.shape)

    def per_cell(mask: np.ndarray) -> np.ndarray:
        return mask[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL).mean(axis=(1, 3))

    up, down = per_cell(step > _STEP), per_cell(step < -_STEP)
    # A letter is wider than a cell at times: neighbours to both sides help out.
    both = [np.maximum(x, np.maximum(np.roll(x, 1, 1), np.roll(x, -1, 1))) for x in (up, down)]
    return (both[0] >= _STROKES) & (both[1] >= _STROKES) & (up + down >= _STROKES)


def _bands(cells: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Level runs of cells, at most :data:`_HIGHEST_CELLS` high, with calm rows above and below."""
    rows, columns = cells.shape
    padded = np.zeros((rows, columns + 2), np.int8)
    padded[:, 1:-1] = cells
    edges = np.diff(padded, axis=1)
    seen = np.zeros_like(cells)
    for row in np.flatnonzero(cells.any(axis=1)).tolist():
        starts, ends = np.flatnonzero(edges[row] == 1), np.flatnonzero(edges[row] == -1)
        for left, right in zip(starts.tolist(), ends.tolist(), strict=True):
            if right - left < _LEAST_CELLS or seen[row, left:right].any():
                continue
            bottom = row + 1
            while bottom < rows and cells[bottom, left:right].mean() > 0.5:
                bottom += 1
            seen[row:bottom, left:right] = True
            above = cells[row - 1, left:right].mean() if row else 0.0
            if bottom - row <= _HIGHEST_CELLS and above <= 0.3:
                yield row, bottom, left, right


def two_levels(piece: np.ndarray) -> float:
    """Largest share 0..1 of the variance that lies between two classes of grey (Otsu 1979)."""
    counts = np.bincount(np.clip(piece.ravel() / 4, 0, 63).astype(int), minlength=64).astype(np.float64)
    values = np.arange(64)
    total, mean = counts.sum(), (counts * values).sum() / counts.sum()
    variance = (counts * (values - mean) ** 2).sum() / total
    if variance < 1.0:
        return 0.0
    below = np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * values)[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean * below - sums) ** 2 / (below * (total - below))
    return float(np.nanmax(between) / total / variance)
