"""The parts of a photo that questions look at: a face at 224 px of a whole photo is too small to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .questions import Region

if TYPE_CHECKING:
    from PIL.Image import Image

    from ...faces.types import People

Box = tuple[float, float, float, float]
_MARGINS: dict[Region, tuple[float, float, float]] = {"face": (0.4, 0.5, 0.3), "upper": (1.6, 0.8, 3.0)}
"""To each side in face widths, above and below in face heights."""


def region_boxes(people: People | None, regions: tuple[Region, ...]) -> dict[Region, Box | None]:
    """Box in shares of the photo for each region; None is the whole photo, also where no face is known."""
    main = people.main if people is not None else None
    return {r: None if r == "whole" or main is None else _around(main.box, *_MARGINS[r]) for r in regions}


def _around(face: Box, sides: float, above: float, below: float) -> Box:
    left, top, right, bottom = face
    width, height = right - left, bottom - top
    return (
        max(0.0, left - sides * width), max(0.0, top - above * height),
        min(1.0, right + sides * width), min(1.0, bottom + below * height),
    )  # fmt: skip


def cut(image: Image, box: Box | None, size_px: tuple[int, int]) -> Image:
    """The part of an RGB picture in ``box``, its longer side brought down to twice what the model sees."""
    if box is not None:
        left, top, right, bottom = box
        image = image.crop((
            int(left * image.width), int(top * image.height),
            max(int(left * image.width) + 1, round(right * image.width)),
            max(int(top * image.height) + 1, round(bottom * image.height)),
        ))  # fmt: skip
    else:
        image = image.copy()
    image.thumbnail((2 * size_px[1], 2 * size_px[0]))
    return image
