"""The blur measure gives the blur that was put in, on drawings and on texture."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_photos import blurred, portrait, textured
from PIL import Image

from lora_train.audit import DEFAULT_LIMITS
from lora_train.audit.blur import MAX_PX, blur_px, noise
from lora_train.audit.frame import Frame

SIGMAS = (0, 1, 1.5, 2, 3, 4, 6)
LIMIT = DEFAULT_LIMITS.max_blur_px


def of(image: Image.Image) -> float:
    return blur_px(Frame(image).working)


@pytest.mark.parametrize("make", [portrait, textured])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_sweep_only_rises_and_crosses_the_limit(make: type, seed: int) -> None:
    values = [of(blurred(make(seed), sigma)) for sigma in SIGMAS]
    assert values == sorted(values)
    assert values[0] < 1.5 < LIMIT < values[-2]


@pytest.mark.parametrize("sigma", [2, 3, 4])
def test_the_number_is_the_blur_in_pixels(sigma: float) -> None:
    assert of(blurred(portrait(3), sigma)) == pytest.approx(sigma, abs=0.5)


@pytest.mark.parametrize("gain", [0.15, 0.5, 1.0])
def test_contrast_does_not_count(gain: float) -> None:
    dim = portrait(4).point(lambda v: round(100 + gain * (v - 128)))
    assert of(dim) < 1.6
    assert of(blurred(dim, 5)) > LIMIT


@pytest.mark.parametrize("grain", [0, 4, 8])
def test_noise_over_a_blurred_photo_does_not_make_it_sharp(grain: float) -> None:
    soft = np.asarray(blurred(portrait(5), 5), np.float32)
    rough = soft + np.random.default_rng(0).normal(0, grain, soft.shape)
    assert of(Image.fromarray(rough.clip(0, 255).astype(np.uint8))) > LIMIT


def test_a_blurred_background_is_no_fault() -> None:
    sharp, soft = portrait(6), blurred(portrait(6), 8)
    soft.paste(sharp.crop((150, 60, 362, 400)), (150, 60))
    assert of(soft) < LIMIT


def test_a_moved_camera_shows_although_edges_along_the_move_stay_sharp() -> None:
    luma = Frame(portrait(7)).working.astype(np.float32)
    kernel = np.ones(17) / 17
    moved = np.stack([np.convolve(row, kernel, "same") for row in luma]).astype(np.float32)
    assert blur_px(luma) < 1.5
    assert blur_px(moved) > LIMIT


def test_pictures_without_edges_and_tiny_ones() -> None:
    assert blur_px(np.full((64, 64), 90, np.float32)) == MAX_PX
    assert 0 <= blur_px(Frame(portrait(8, (9, 7))).working) <= MAX_PX
    assert 0 <= blur_px(np.zeros((1, 1), np.float32)) <= MAX_PX


@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_noise_is_measured(sigma: float) -> None:
    grain = np.random.default_rng(1).normal(128, sigma, (256, 256)).astype(np.float32)
    assert noise(grain) == pytest.approx(sigma, rel=0.15)
