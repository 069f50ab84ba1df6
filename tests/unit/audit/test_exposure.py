"""Too dark and too bright are about the subject: night and snow are no faults."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_photos import portrait, scaled
from PIL import Image, ImageDraw

from lora_train.audit import DEFAULT_LIMITS as LIMITS
from lora_train.audit import exposure
from lora_train.audit.exposure import burnt_share, centre
from lora_train.dataset.colour import luminance


def light(rgb: np.ndarray) -> float:
    return exposure.light(luminance(rgb))


def shadow_light(rgb: np.ndarray) -> float:
    return exposure.shadow_light(luminance(rgb))


def person_on(background: tuple[int, int, int], share: float = 0.5) -> np.ndarray:
    """A well lit person of ``share`` of the height in the middle of a plain ``background``; 256 px."""
    image = Image.new("RGB", (256, 256), background)
    draw, h = ImageDraw.Draw(image), share * 256
    top = 118 - h / 2
    draw.rectangle((128 - 0.3 * h, top + 0.45 * h, 128 + 0.3 * h, top + h), fill=(40, 90, 160))
    draw.ellipse((128 - 0.2 * h, top, 128 + 0.2 * h, top + 0.5 * h), fill=(215, 170, 140))
    return np.asarray(image)


def too_dark(rgb: np.ndarray) -> bool:
    return light(rgb) < LIMITS.min_light


def too_bright(rgb: np.ndarray) -> bool:
    return burnt_share(rgb) > LIMITS.max_burnt_share or shadow_light(rgb) > LIMITS.max_shadow_light


@pytest.mark.parametrize("seed", range(6))
def test_a_portrait_and_its_dark_and_burnt_versions(seed: int) -> None:
    image = portrait(seed, (256, 256))
    normal, dark, bright = (np.asarray(scaled(image, g)) for g in (1, 0.2, 3))
    assert not too_dark(normal) and not too_bright(normal)
    assert too_dark(dark)
    assert too_bright(bright)


@pytest.mark.parametrize("share", [0.35, 0.5, 0.9])
def test_a_lit_person_at_night_is_not_too_dark(share: float) -> None:
    night = person_on((6, 6, 14), share)
    assert not too_dark(night)
    assert too_dark((night * 0.2).astype(np.uint8))


@pytest.mark.parametrize("white", [(245, 246, 250), (255, 255, 255)])
@pytest.mark.parametrize("share", [0.35, 0.5, 0.9])
def test_a_person_in_snow_or_before_a_white_backdrop_is_not_too_bright(
    white: tuple[int, int, int], share: float
) -> None:
    assert not too_bright(person_on(white, share))


def test_a_burnt_person_before_a_white_backdrop_is_too_bright() -> None:
    pushed = np.clip(person_on((255, 255, 255)).astype(int) * 3, 0, 255).astype(np.uint8)
    assert too_bright(pushed)


def test_a_washed_out_photo_is_too_bright() -> None:
    washed = portrait(1, (256, 256)).point(lambda v: 190 + v // 4)
    assert too_bright(np.asarray(washed))


def test_saturated_colours_are_not_burnt() -> None:
    assert burnt_share(np.full((64, 64, 3), (255, 0, 0), np.uint8)) == 0


def test_plain_pictures_have_exact_values() -> None:
    assert light(np.full((64, 64, 3), 255, np.uint8)) == pytest.approx(1)
    assert light(np.zeros((64, 64, 3), np.uint8)) == 0
    assert shadow_light(np.full((64, 64, 3), 188, np.uint8)) == pytest.approx(0.503, abs=0.001)
    assert burnt_share(np.full((64, 64, 3), 255, np.uint8)) == 1


def test_light_rises_with_brightness() -> None:
    image = portrait(2, (128, 128))
    values = [light(np.asarray(scaled(image, g))) for g in (0.1, 0.2, 0.4, 0.8, 1.0)]
    assert values == sorted(values)


def test_centre_is_a_third_and_touches_no_border() -> None:
    mask = centre(100, 200)
    assert 0.3 < mask.mean() < 0.45
    assert not mask[0].any() and not mask[-1].any() and not mask[:, 0].any() and not mask[:, -1].any()
