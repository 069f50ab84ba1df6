"""Letters in the picture, without a model: date stamps, captions, watermarks, screenshots.

A line of text is a level band of many steep strokes up and down in brightness, side by side without
a gap, calm above and below, whose pixels are of two levels: ink and ground. Hair, leaves and fabric
have the strokes, not the rest. What is found is a hint ("looks like letters"), never a reason to reject.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..dataset.filters import strips

_CELL = 8
_STEP = 14.0
"""Grey levels between neighbouring pixels that make a stroke's side."""
_STROKES = 1.0 / 16
"""Share of a cell's pixels that have to be steep, up and down each."""
_LEAST_CELLS = 6
_GAP = 2
_FILLED = 0.4
"""Share of a row of cells from which it belongs to the line."""
_HIGHEST_CELLS = 4
_TWO_LEVELS = 0.78
"""Share of the variance between the two halves (Otsu); a normal distribution has 0.64, a flat one 0.75."""
_STROKES_PER_HEIGHT = 2.4
"""Sides of strokes along a piece of the line that is as wide as it is high."""
_LEAST_HEIGHT = 5
_LEAST_INK = 0.08
_LEAST_SIDE_PX = 160
_SCALES = (1, 2, 4)
_MOST_BANDS = 100


def text_share(luma: np.ndarray) -> float:
    """Share 0..1 of a grey picture (h, w, 0..255) that lines of text cover; letters 8 px and higher."""
    covered = np.zeros((max(1, luma.shape[0] // _CELL), max(1, luma.shape[1] // _CELL)), bool)
    for scale in _SCALES:
        small = _reduced(luma, scale)
        if scale > 1 and min(small.shape) < _LEAST_SIDE_PX:
            break
        for top, bottom, left, right in _lines(small):
            covered[top * scale : bottom * scale, left * scale : right * scale] = True
    return float(covered.mean())


def _reduced(luma: np.ndarray, scale: int) -> np.ndarray:
    """Averages of scale x scale pixels; scale is a power of two."""
    while scale > 1:
        x = luma[: luma.shape[0] // 2 * 2, : luma.shape[1] // 2 * 2].astype(np.float32, copy=False)
        luma = (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
        scale //= 2
    return luma


def _lines(luma: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Lines of text as cells: top, bottom, left, right, exclusive at the end."""
    strokes = _stroke_cells(luma)
    for count, (top, bottom, left, right) in enumerate(_bands(strokes)):
        if count >= _MOST_BANDS:
            return
        piece = luma[top * _CELL : bottom * _CELL, left * _CELL : right * _CELL]
        if is_lettering(piece):
            yield top, bottom, left, right


def _stroke_cells(luma: np.ndarray) -> np.ndarray:
    """Boolean cells in which brightness goes steeply up and down again, about as often."""
    rows, columns = (s // _CELL for s in luma.shape)
    up, down = np.zeros((2, rows, columns), np.float32)
    for start, count in strips(rows * _CELL):  # of a multiple of the cells
        part = luma[start : start + count, : columns * _CELL + 1].astype(np.float32, copy=False)
        step = part[:, 1:] - part[:, :-1]
        at = slice(start // _CELL, (start + count) // _CELL)
        up[at], down[at] = _per_cell(step > _STEP, columns), _per_cell(step < -_STEP, columns)
    # A letter is wider than a cell at times: neighbours to both sides help out.
    both = [np.maximum(x, np.maximum(np.roll(x, 1, 1), np.roll(x, -1, 1))) for x in (up, down)]
    cells = (both[0] >= _STROKES) & (both[1] >= _STROKES) & (up + down >= _STROKES)
    # Gaps between words are up to two cells wide.
    for _ in range(_GAP):
        cells[:, 1:-1] |= cells[:, :-2] & _soon(cells, 1)
    return cells


def _per_cell(mask: np.ndarray, columns: int) -> np.ndarray:
    """Shares of the cells that are set; the last column of pixels may be missing."""
    flags = np.zeros((len(mask), columns * _CELL), np.uint8)
    flags[:, : mask.shape[1]] = mask[:, : columns * _CELL]
    by_row = flags.reshape(-1, _CELL, columns * _CELL).sum(axis=1, dtype=np.uint8)
    return by_row.reshape(-1, columns, _CELL).sum(axis=2) / np.float32(_CELL**2)


def _soon(cells: np.ndarray, start: int) -> np.ndarray:
    """For the inner columns: a cell is set one or two places to the right."""
    padded = np.pad(cells, ((0, 0), (0, 2)))
    columns = cells.shape[1] - 2
    return padded[:, start + 1 : start + 1 + columns] | padded[:, start + 2 : start + 2 + columns]


def _bands(cells: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Level bands of cells, the longest first, at most :data:`_HIGHEST_CELLS` high, calm above and below."""
    rows, columns = cells.shape
    padded = np.zeros((rows, columns + 2), np.int8)
    padded[:, 1:-1] = cells
    edges = np.diff(padded, axis=1)
    (at, left), (_, right) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    long = np.flatnonzero(right - left >= _LEAST_CELLS)
    seen = np.zeros_like(cells)
    for i in long[np.argsort(left[long] - right[long], kind="stable")].tolist():
        start, end, top = int(left[i]), int(right[i]), int(at[i])
        if seen[top, start:end].any():
            continue
        filled = cells[:, start:end].mean(axis=1)
        bottom = top + 1
        while top > 0 and filled[top - 1] > _FILLED:
            top -= 1
        while bottom < rows and filled[bottom] > _FILLED:
            bottom += 1
        seen[top:bottom, start:end] = True
        if bottom - top <= _HIGHEST_CELLS:
            yield top, bottom, start, end


def is_lettering(piece: np.ndarray) -> bool:
    """Whether a band (h, w) of grey values is written: two levels, and thin strokes all along it."""
    share, threshold = two_levels(piece)
    if share < _TWO_LEVELS:
        return False
    ink = piece > threshold
    if ink.mean() > 0.5:
        ink = ~ink
    changes = ink[:, 1:] != ink[:, :-1]  # (h, w - 1)
    per_row = changes.sum(axis=1)
    busy = per_row >= max(2.0, 0.4 * float(np.percentile(per_row, 90)))
    height = int(busy.sum())
    if height < _LEAST_HEIGHT or not _LEAST_INK <= float(ink[busy].mean()) <= 0.5:
        return False
    strokes = float(np.median(per_row[busy])) * height / piece.shape[1]
    along = changes[busy].sum(axis=0) > 0
    parts = [part.sum() >= 2 for part in np.array_split(along, max(1, piece.shape[1] // (2 * height)))]
    return strokes >= _STROKES_PER_HEIGHT and float(np.mean(parts)) >= 0.8


def two_levels(piece: np.ndarray) -> tuple[float, float]:
    """Largest share 0..1 of the variance that lies between two classes of grey, and where they part (Otsu 1979)."""
    counts = np.bincount(np.clip(piece.ravel() / 4, 0, 63).astype(int), minlength=64).astype(np.float64)
    values = np.arange(64)
    total, mean = counts.sum(), (counts * values).sum() / counts.sum()
    variance = (counts * (values - mean) ** 2).sum() / total
    if variance < 1.0:
        return 0.0, 0.0
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * values)[:-1]
    inner = np.clip(below * (total - below), 1e-9, None)
    between = np.where((below > 0) & (below < total), (mean * below - sums) ** 2 / inner, 0.0)
    best = int(between.argmax())
    return float(between[best] / variance), 4.0 * (best + 1)
