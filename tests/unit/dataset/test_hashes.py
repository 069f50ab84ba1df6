"""Fingerprints: what changes them and what does not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from drawn_photos import portrait, scaled, textured
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lora_train.audit.frame import Frame
from lora_train.audit.measure import Measured, measure_image
from lora_train.dataset.colour import lab, linear, luma
from lora_train.dataset.hashes import as_bits, differing, distance, likeness


def of(image: Image.Image) -> Measured:
    return measure_image(Frame(image))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


@pytest.mark.parametrize("make", [portrait, textured])
def test_scaling_and_jpeg_change_little(make: type) -> None:
    image = make(1)
    for changed in (image.resize((300, 300)), jpeg(image, 40), scaled(image, 1.15)):
        assert distance(of(image).phash, of(changed).phash) <= 6
        assert likeness(of(image).thumb, of(changed).thumb) > 0.97


def test_different_photos_of_one_kind_are_far() -> None:
    prints = [of(portrait(seed)) for seed in range(6)]
    pairs = [(a, b) for i, a in enumerate(prints) for b in prints[i + 1 :]]
    both = [distance(a.phash, b.phash) <= 10 and likeness(a.thumb, b.thumb) >= 0.9 for a, b in pairs]
    assert not any(both)


def test_the_mirror_hash_is_the_hash_of_the_mirror_image() -> None:
    image = portrait(3)
    assert distance(of(image).mirror, of(ImageOps.mirror(image)).phash) <= 2
    assert distance(of(image).phash, of(ImageOps.mirror(image)).phash) > 10


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8))
def test_the_matrix_agrees_with_the_single_distance(hashes: list[int]) -> None:
    rows = as_bits(hashes)
    assert differing(rows, rows).tolist() == [[distance(a, b) for b in hashes] for a in hashes]


def test_likeness_ignores_light_and_minds_colour() -> None:
    a = np.asarray(portrait(4).resize((16, 16)))
    darker = (a * 0.6).astype(np.uint8)
    assert likeness(a, darker) == pytest.approx(1, abs=0.01)
    assert likeness(a, a[..., ::-1]) < 0.9
    flat = np.full((16, 16, 3), 7, np.uint8)
    assert likeness(flat, flat) == 1
    assert likeness(flat, a) == 0


def test_known_colours() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8)
    assert lab(colours)[0, 0] == pytest.approx((100, 0, 0), abs=0.05)
    assert lab(colours)[0, 1] == pytest.approx((0, 0, 0), abs=0.05)
    assert lab(colours)[0, 2] == pytest.approx((53.2, 80.1, 67.2), abs=0.2)
    assert linear(np.full((1, 1, 3), 188, np.uint8))[0, 0, 0] == pytest.approx(0.5029, abs=1e-3)
    assert luma(colours)[0].tolist() == pytest.approx([255, 0, 54.2], abs=0.1)
