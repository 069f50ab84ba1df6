"""Finding a subject without weights."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_photos import textured
from PIL import Image, ImageDraw

from lora_train.crop.subject import SaliencyFinder, colour_distance, saliency, spectral_residual
from lora_train.dataset.colour import luma


def scene(x: float, y: float, r: float = 0.12, noise: float = 6) -> Image.Image:
    """A red disc at (x, y) in shares of a green-and-blue landscape with grain."""
    image = Image.new("RGB", (400, 300), (90, 140, 200))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 180, 400, 300), fill=(80, 130, 70))
    draw.ellipse((x * 400 - r * 300, y * 300 - r * 300, x * 400 + r * 300, y * 300 + r * 300), fill=(210, 60, 40))
    grain = np.random.default_rng(0).normal(0, noise, (300, 400, 1))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (0.3, 0.4), (0.7, 0.6), (0.4, 0.65)])
def test_the_odd_thing_is_found(x: float, y: float) -> None:
    subject = SaliencyFinder().find(scene(x, y))
    assert subject.sure
    assert subject.box.centre == pytest.approx((x, y), abs=0.08)
    assert subject.box.extent.width < 0.45


@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255)])
def test_nothing_is_found_in_nothing(colour: tuple[int, int, int]) -> None:
    subject = SaliencyFinder().find(Image.new("RGB", (80, 60), colour))
    assert not subject.sure
    assert 0 <= subject.box.left < subject.box.right <= 1


def test_tiny_and_odd_pictures() -> None:
    for size in ((1, 1), (2000, 3), (5, 900)):
        box = SaliencyFinder().find(Image.new("L", size, 40)).box
        assert 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1


def test_saliency_is_a_distribution() -> None:
    weight = saliency(np.asarray(scene(0.5, 0.5).resize((64, 64))))
    assert weight.shape == (64, 64)
    assert weight.min() >= 0
    assert weight.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("y", "x"), [(20, 40), (40, 16), (32, 32)])
def test_spectral_residual_marks_what_is_unlike_the_texture_around_it(y: int, x: int) -> None:
    grey = luma(np.asarray(textured(0, 64)))
    grey[y - 5 : y + 5, x - 5 : x + 5] += np.random.default_rng(1).normal(60, 60, (10, 10))
    weight = spectral_residual(grey)
    found = np.unravel_index(weight.argmax(), (64, 64))
    assert abs(found[0] - y) <= 5 and abs(found[1] - x) <= 5
    assert weight[y - 5 : y + 5, x - 5 : x + 5].mean() > 3 * weight.mean()


def test_colours_of_the_border_are_background() -> None:
    rgb = np.full((64, 64, 3), (90, 140, 200), np.uint8)
    rgb[40:] = (80, 130, 70)
    rgb[20:30, 20:30] = (210, 60, 40)
    gap = colour_distance(rgb)
    assert gap[25, 25] > 30
    assert gap[60, 5] < 1 and gap[5, 60] < 1
