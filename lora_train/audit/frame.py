"""A photo as the measures see it: one decoded picture at a normal scale, and smaller copies of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..dataset.colour import luma

if TYPE_CHECKING:
    from PIL.Image import Image

WORKING_SIDE_PX = 1024
"""Longer side at which sharpness is judged: what is lost above it, no training resolution shows."""


@dataclass(frozen=True, eq=False)
class Frame:
    """``image``: mode RGB, upright, longer side at most :data:`WORKING_SIDE_PX`."""

    image: Image

    @cached_property
    def luma(self) -> np.ndarray:
        """(h, w) float32, 0..255."""
        return luma(np.asarray(self.image))

    @cached_property
    def small(self) -> np.ndarray:
        """(h, w, 3) uint8 with a longer side of at most 256 px."""
        copy = self.image.copy()
        copy.thumbnail((256, 256))
        return np.asarray(copy)

    def squeezed(self, side_px: int) -> np.ndarray:
        """(side, side, 3) uint8, without regard to the shape of the photo; each cell an average."""
        from PIL import Image

        return np.asarray(self.image.resize((side_px, side_px), Image.Resampling.BOX))
