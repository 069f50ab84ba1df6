"""Empty borders go, plain backgrounds stay."""

from __future__ import annotations

import io

import numpy as np
import pytest
from drawn_photos import portrait, textured
from PIL import Image, ImageDraw

from lora_train.crop.borders import content_box
from lora_train.crop.geometry import Box


def framed(colour: str, left: int, top: int, right: int, bottom: int) -> Image.Image:
    inner = textured(1, 300)
    image = Image.new("RGB", (300 + left + right, 300 + top + bottom), colour)
    image.paste(inner, (left, top))
    return image


@pytest.mark.parametrize("colour", ["black", "white", "#808080", "#1a3c5e"])
@pytest.mark.parametrize("borders", [(0, 60, 0, 60), (40, 0, 40, 0), (20, 30, 25, 60), (0, 0, 0, 80)])
@pytest.mark.parametrize("quality", [None, 80])
def test_borders_are_found(colour: str, borders: tuple[int, int, int, int], quality: int | None) -> None:
    image = framed(colour, *borders)
    if quality:
        stored = io.BytesIO()
        image.save(stored, "JPEG", quality=quality)
        image = Image.open(stored).convert("RGB")
    box = content_box(np.asarray(image)).stretched(_extent(image))
    left, top = borders[:2]
    wanted = (left, top, left + 300, top + 300)
    found = (box.left, box.top, box.right, box.bottom)
    # Nothing of the border stays; a line or two of the picture may go.
    assert all(abs(f - w) <= 4 for f, w in zip(found, wanted, strict=True))
    assert box.left >= left and box.top >= top and box.right <= left + 300 and box.bottom <= top + 300


def _extent(image: Image.Image):  # type: ignore[no-untyped-def]
    from lora_train.crop.geometry import Extent

    return Extent(*image.size)


def test_a_photo_without_borders_stays_whole() -> None:
    for seed in range(6):
        assert content_box(np.asarray(portrait(seed))) == Box(0, 0, 1, 1)


@pytest.mark.parametrize("colour", ["white", "#202020"])
def test_a_plain_backdrop_is_no_border(colour: str) -> None:
    image = Image.new("RGB", (300, 400), colour)
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 80, 200, 210), fill="#e8b894")
    draw.ellipse((60, 220, 240, 520), fill="#2b6cb0")
    box = content_box(np.asarray(image))
    assert (box.top, box.left, box.right) == (0, 0, 1)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_one_colour_and_tiny_pictures(size: tuple[int, int]) -> None:
    assert content_box(np.asarray(Image.new("RGB", size, "black"))) == Box(0, 0, 1, 1)
