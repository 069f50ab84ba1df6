"""A photo as the measures see it: one decoded picture at a normal scale, and smaller copies of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.colour import lab, luma, luminance
from .blur import noise

if TYPE_CHECKING:
    from PIL.Image import Image

WORKING_SIDE_PX = 1024
"""Longer side at which sharpness is judged: what is lost above it, no training resolution shows."""

DECODED_SIDE_PX = 1536
"""Longer side at which a photo is decoded at least, once, for the measures and for those who look for people."""

_UNTOUCHED_SIDE_PX = int(1.2 * DECODED_SIDE_PX) - 1
"""A decoded picture with a longer side up to this was never scaled: JPEGs are not halved below it."""


_CELLS = 64


@dataclass(frozen=True, eq=False)
class Frame:
    """``image``: mode RGB, upright, longer side at most :data:`WORKING_SIDE_PX`."""

    image: Image
    original: Image | None = None
    """The same picture with pixels that no scaling has touched, where it was decoded at full scale."""

    @cached_property
    def rgb(self) -> np.ndarray:
        """(h, w, 3) uint8 of :attr:`image`."""
        return np.asarray(self.image)

    @cached_property
    def luma(self) -> np.ndarray:
        """(h, w) float32, 0..255."""
        return luma(self.rgb)

    @cached_property
    def noise(self) -> float:
        """Grey levels of noise in :attr:`luma`."""
        return noise(self.luma)

    @cached_property
    def small(self) -> np.ndarray:
        """(h, w, 3) uint8 with a longer side of at most 256 px."""
        factor = max(self.image.size) // 256
        copy = self.image.reduce(factor) if factor > 1 else self.image.copy()
        copy.thumbnail((256, 256))
        return np.asarray(copy)

    @cached_property
    def small_luma(self) -> np.ndarray:
        """(h, w) float32, 0..255, of :attr:`small`."""
        return luma(self.small)

    @cached_property
    def luminance(self) -> np.ndarray:
        """(h, w) float32 linear light, 0..1, of :attr:`small`."""
        return luminance(self.small)

    @cached_property
    def lab(self) -> np.ndarray:
        """(h, w, 3) float32 CIE Lab with a longer side of at most 128 px."""
        return lab(self.small[::2, ::2])

    @cached_property
    def untouched(self) -> np.ndarray | None:
        """Grey (h, w) of :attr:`original`."""
        if self.original is None:
            return None
        return self.luma if self.original is self.image else luma(np.asarray(self.original))

    def squeezed(self, side_px: int) -> np.ndarray:
        """(side, side, 3) uint8, without regard to the shape of the photo; each cell an average. 64, 32, 16 ..."""
        cells = self._cells
        factor = cells.shape[0] // side_px
        blocks = cells.reshape(side_px, factor, side_px, factor, 3)
        return np.round(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)

    @cached_property
    def _cells(self) -> np.ndarray:
        from PIL import Image

        return np.asarray(self.image.resize((_CELLS, _CELLS), Image.Resampling.BOX))


def open_frame(path: Path, decoded: Image | None = None) -> Frame:
    """A photo file as a frame; large JPEGs are decoded at reduced scale.

    Args:
        decoded: what :func:`open_decoded` made of the file, where that is at hand.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    from PIL.Image import Resampling

    picture: Image = open_decoded(path) if decoded is None else decoded
    longer = max(picture.size)
    original = picture if longer <= _UNTOUCHED_SIDE_PX else None
    if longer <= WORKING_SIDE_PX:
        return Frame(picture, original)
    scale = WORKING_SIDE_PX / longer
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return Frame(picture.resize(size, Resampling.HAMMING), original)


def open_decoded(path: Path) -> Image:
    """The photo in RGB, upright, as it was decoded: its own size, or JPEGs at reduced scale.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    from ..dataset.photo import open_photo

    return open_photo(path, DECODED_SIDE_PX, exact=False)


def fitted(image: Image, side_px: int = DECODED_SIDE_PX) -> Image:
    """``image`` with a longer side of at most ``side_px``, the same object where it is small enough."""
    from PIL.Image import Resampling

    longer = max(image.size)
    if longer <= side_px:
        return image
    size = (max(1, round(image.width * side_px / longer)), max(1, round(image.height * side_px / longer)))
    return image.resize(size, Resampling.LANCZOS)
