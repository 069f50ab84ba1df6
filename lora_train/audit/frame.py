"""A photo as the measures see it: one decoded picture, and what is made of it when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.colour import LUMA, lab, luma, luminance
from .blur import noise
from .checks import FULL_SIDE_PX as DECODED_SIDE_PX
from .jpeg import MIDDLE_PX

if TYPE_CHECKING:
    from PIL.Image import Image

WORKING_SIDE_PX = 1024
"""Longer side at which sharpness is judged: what is lost above it, no training resolution shows."""

SMALL_SIDE_PX = 256
_CELLS = 64
_GREY = (*map(float, LUMA), 0.0)


@dataclass(frozen=True, eq=False)
class Frame:
    """``image``: mode RGB, upright, as it was decoded."""

    image: Image
    untouched: bool = False
    """No scaling has touched the pixels."""

    @cached_property
    def grey(self) -> Image:
        """Mode L, Rec. 709, of the size of :attr:`image`."""
        return self.image.convert("L", _GREY)

    @cached_property
    def working(self) -> np.ndarray:
        """(h, w) uint8 grey with a longer side of at most :data:`WORKING_SIDE_PX`."""
        from PIL.Image import Resampling

        return np.asarray(_limited(self.grey, WORKING_SIDE_PX, Resampling.HAMMING))

    @cached_property
    def noise(self) -> float:
        """Grey levels of noise in :attr:`working`."""
        return noise(self.working)

    @cached_property
    def small(self) -> np.ndarray:
        """(h, w, 3) uint8 with a longer side of at most :data:`SMALL_SIDE_PX`."""
        return np.asarray(self._small)

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
    def middle(self) -> np.ndarray | None:
        """(h, w) float32 grey of the middle, pixels that no scaling has touched; None where there are none."""
        if not self.untouched:
            return None
        width, height = self.image.size
        left, top = max(0, width - MIDDLE_PX) // 2, max(0, height - MIDDLE_PX) // 2
        box = (left, top, min(width, left + MIDDLE_PX), min(height, top + MIDDLE_PX))
        return np.asarray(self.grey.crop(box), np.float32)

    def squeezed(self, side_px: int) -> np.ndarray:
        """(side, side, 3) uint8, without regard to the shape of the photo; each cell an average. 64, 32, 16 ..."""
        cells = self._cells
        factor = cells.shape[0] // side_px
        blocks = cells.reshape(side_px, factor, side_px, factor, 3)
        return np.round(blocks.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)

    @cached_property
    def _cells(self) -> np.ndarray:
        from PIL.Image import Resampling

        return np.asarray(self._small.resize((_CELLS, _CELLS), Resampling.BOX))

    @cached_property
    def _small(self) -> Image:
        from PIL.Image import Resampling

        longer = max(self.image.size)
        # From four times on, whole steps come near enough and need no second scaling.
        factor = -(-longer // SMALL_SIDE_PX) if longer >= 4 * SMALL_SIDE_PX else longer // SMALL_SIDE_PX
        reduced = self.image.reduce(factor) if factor > 1 else self.image
        return _limited(reduced, SMALL_SIDE_PX, Resampling.BICUBIC)


def open_frame(path: Path, decoded: Image | None = None, side_px: int = DECODED_SIDE_PX) -> Frame:
    """A photo file as a frame; large JPEGs are decoded at reduced scale.

    Args:
        decoded: what :func:`open_decoded` made of the file with the same ``side_px``, where that is at hand.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    picture: Image = open_decoded(path, side_px) if decoded is None else decoded
    # JPEGs are not decoded at reduced scale below 1.2 times the side that was asked for.
    return Frame(picture, max(picture.size) < int(1.2 * side_px))


def open_decoded(path: Path, side_px: int = DECODED_SIDE_PX) -> Image:
    """The photo in RGB, upright, as it was decoded: its own size, or reduced to ``side_px`` or a little more.

    Raises:
        BadInputError: the photo cannot be decoded.
    """
    from ..dataset.photo import open_photo

    return open_photo(path, side_px, exact=False)


def fitted(image: Image, side_px: int = DECODED_SIDE_PX) -> Image:
    """``image`` with a longer side of at most ``side_px``, the same object where it is small enough."""
    from PIL.Image import Resampling

    return _limited(image, side_px, Resampling.LANCZOS)


def _limited(image: Image, side_px: int, resampling: int) -> Image:
    longer = max(image.size)
    if longer <= side_px:
        return image
    size = (max(1, round(image.width * side_px / longer)), max(1, round(image.height * side_px / longer)))
    return image.resize(size, resampling)
