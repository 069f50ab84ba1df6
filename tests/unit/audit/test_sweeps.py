"""Each measure of the pixels goes one way with what it measures, crosses its limit, and ignores the rest."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from drawn_photos import blurred, portrait, scaled, textured
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lora_train.audit import DEFAULT_LIMITS as LIMITS
from lora_train.audit.frame import Frame
from lora_train.audit.measure import measure_image
from lora_train.audit.rules import RULES

SIDE = 320


def scene(seed: int) -> Image.Image:
    """A drawn person before natural texture, with noise of one grey level."""
    picture = Image.blend(portrait(seed, (SIDE, SIDE)), textured(seed, SIDE).resize((SIDE, SIDE)), 0.3)
    return blurred(picture, 0.7)


def scores(image: Image.Image) -> dict[str, float]:
    return measure_image(Frame(image, True)).scores


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    grain = np.random.default_rng(1).normal(0, sigma, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


def foggy(image: Image.Image, share: float) -> Image.Image:
    return Image.blend(image, Image.new("RGB", image.size, (150, 150, 155)), share)


def leaning(image: Image.Image, degrees: float) -> Image.Image:
    """A house front that leans; ``image`` is not used."""
    house = Image.new("RGB", (2 * SIDE, 2 * SIDE), (150, 140, 120))
    draw = ImageDraw.Draw(house)
    for x in range(0, 2 * SIDE, 48):
        for y in range(0, 2 * SIDE, 64):
            draw.rectangle((x, y, x + 26, y + 40), fill=(60, 70, 90))
    return house.rotate(degrees, Image.Resampling.BICUBIC).crop((SIDE // 2, SIDE // 2, SIDE * 3 // 2, SIDE * 3 // 2))


def compressed(image: Image.Image, quality: float) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=int(quality))
    return Image.open(data).convert("RGB")


def toned(image: Image.Image, share: float) -> Image.Image:
    sepia = ImageOps.colorize(ImageOps.grayscale(image), (20, 10, 0), (255, 235, 205))
    return Image.blend(image, sepia, share)


def grey(image: Image.Image, share: float) -> Image.Image:
    return Image.blend(image, ImageOps.grayscale(image).convert("RGB"), share)


def vivid(image: Image.Image, factor: float) -> Image.Image:
    return Image.blend(ImageOps.grayscale(image).convert("RGB"), image, factor)


def ornate(image: Image.Image, share: float) -> Image.Image:
    """Coloured confetti behind the person."""
    rng = np.random.default_rng(2)
    spots = Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).resize(image.size, Image.Resampling.NEAREST)
    return Image.blend(image, spots, share)


Change = Callable[[Image.Image, float], Image.Image]
SWEEPS: list[tuple[str, Change, Sequence[float], str, int]] = [
    ("blur_px", blurred, (0, 1, 2, 3, 4, 6), "max_blur_px", 1),
    ("noise", noisy, (0, 2, 4, 8, 16), "max_noise", 1),
    ("noise", noisy, (0, 2, 4, 8, 16), "max_noise_reject", 1),
    ("light", scaled, (1.0, 0.6, 0.4, 0.25, 0.1), "min_light", -1),
    ("burnt_share", scaled, (1.0, 1.5, 2.0, 3.0, 5.0), "max_burnt_share", 1),
    ("contrast", foggy, (0.0, 0.3, 0.5, 0.7, 0.9), "min_contrast", -1),
    ("contrast", foggy, (0.0, 0.3, 0.5, 0.7, 0.9), "min_contrast_reject", -1),
    ("shadow_light", foggy, (0.0, 0.3, 0.5, 0.7, 0.9, 1.0), "", 1),
    ("tilt_deg", leaning, (0, 3, 6, 9, 14, 20), "max_tilt_deg", 1),
    ("jpeg_blocks", compressed, (95, 60, 30, 15), "max_jpeg_blocks", 1),
    ("hue_spread", toned, (0.5, 0.8, 0.95, 1.0), "min_hue_spread", -1),
    ("chroma", grey, (0.0, 0.4, 0.7, 0.9, 1.0), "min_chroma", -1),
    ("chroma", vivid, (1.0, 1.5, 2.5, 4.0, 7.0), "max_chroma", 1),
    ("border_edges", ornate, (0.0, 0.1, 0.2, 0.5, 1.0), "max_border_edges", 1),
]


@pytest.mark.parametrize(("name", "change", "amounts", "limit", "way"), SWEEPS,
                         ids=lambda v: v if isinstance(v, str) else "")  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2])
def test_a_sweep_goes_one_way_and_crosses_its_limit(
    name: str, change: Change, amounts: Sequence[float], limit: str, way: int, seed: int
) -> None:
    values = [scores(change(scene(seed), amount)).get(name) for amount in amounts]
    assert None not in values, values
    steps = way * np.diff(np.array(values, float))
    room = 0.02 * abs(values[-1] - values[0])  # type: ignore[operator]
    assert (steps >= -room).all(), values
    if limit:
        at = getattr(LIMITS, limit)
        assert way * (values[0] - at) < 0 < way * (values[-1] - at), (values, at)  # type: ignore[operator]


@pytest.mark.parametrize("degrees", [2, 5, 9, 15])
def test_the_tilt_is_the_angle(degrees: float) -> None:
    assert scores(leaning(scene(1), degrees))["tilt_deg"] == pytest.approx(degrees, abs=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_without_lines_there_is_no_tilt(seed: int) -> None:
    assert "tilt_deg" not in scores(textured(seed, SIDE))


@pytest.mark.parametrize("quality", [80, 90, 95])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_good_jpegs_have_no_blocks_wherever_the_grid_lies(quality: int, seed: int) -> None:
    saved = compressed(scene(seed), quality)
    for left in (0, 3):
        assert scores(saved.crop((left, left, SIDE, SIDE)))["jpeg_blocks"] < LIMITS.max_jpeg_blocks
    bad = compressed(scene(seed), 12)
    assert scores(bad.crop((3, 5, SIDE, SIDE)))["jpeg_blocks"] > LIMITS.max_jpeg_blocks


def test_blocks_are_not_measured_on_scaled_pixels() -> None:
    assert "jpeg_blocks" not in measure_image(Frame(scene(1))).scores


def written(image: Image.Image, size_px: int) -> Image.Image:
    """A caption bar with a line of letters."""
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((0, SIDE * 0.8, SIDE, SIDE), fill=(0, 0, 0))
    draw.text((10, SIDE * 0.82), "Photo by A. Someone 2024", fill=(255, 255, 255), font=ImageFont.load_default(size_px))
    return out


@pytest.mark.parametrize("size_px", [14, 20, 28])
@pytest.mark.parametrize("seed", range(3))
def test_lettering_is_found(seed: int, size_px: int) -> None:
    assert scores(written(scene(seed), size_px))["text_share"] > LIMITS.max_text_share


@pytest.mark.parametrize("seed", range(8))
def test_no_lettering_is_found_in_pictures_without(seed: int) -> None:
    for picture in (scene(seed), textured(seed, SIDE), portrait(seed, (SIDE, SIDE))):
        assert scores(picture)["text_share"] <= LIMITS.max_text_share


# ---- what must not matter

PIXEL_RULES = [r for r in RULES if r.needs == "pixels" and r.score != "side_px"]


def verdicts(found: dict[str, float], without: frozenset[str] = frozenset()) -> set[str]:
    """The codes that the pixel rules find, each by itself."""
    return {
        r.code
        for r in PIXEL_RULES
        if r.score in found and r.code not in without
        and (found[r.score] - getattr(LIMITS, r.limit)) * (1 if r.side == "at most" else -1) > 0 and r.also is None
    }  # fmt: skip


def mirrored(image: Image.Image) -> Image.Image:
    return ImageOps.mirror(image)


FINE: list[tuple[str, Change, float]] = [
    ("fine", lambda im, _: im, 0), ("blurry", blurred, 5), ("dark", scaled, 0.1), ("burnt", scaled, 5.0),
    ("grainy", noisy, 20), ("foggy", foggy, 0.9), ("grey", grey, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "amount"), FINE, ids=[f[0] for f in FINE])
@pytest.mark.parametrize("seed", [4])
def test_mirror_and_jpeg_quality_do_not_change_a_verdict(kind: str, change: Change, amount: float, seed: int) -> None:
    image = change(scene(seed), amount)
    expected = verdicts(scores(image))
    assert (expected == set()) == (kind == "fine"), expected
    assert verdicts(scores(mirrored(image))) == expected
    for quality in (95, 88, 80):
        assert verdicts(scores(compressed(image, quality))) == expected, quality


def large(seed: int, side_px: int) -> Image.Image:
    """The same drawn person with the same share of blur at any size."""
    return blurred(portrait(seed, (1400, 1400)), 2).resize((side_px, side_px), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("seed", [6])
def test_resolution_does_not_change_a_verdict(seed: int) -> None:
    base = scores(large(seed, 1024))
    for side_px in (400, 700, 1400):
        picture = large(seed, side_px)
        picture.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
        found = scores(picture)
        assert verdicts(found) == verdicts(base) == set()
        for name in ("light", "burnt_share", "shadow_light", "brightness", "border_edges"):
            assert found[name] == pytest.approx(base[name], abs=0.03), name
        for name in ("contrast", "chroma", "hue_spread"):
            assert found[name] == pytest.approx(base[name], rel=0.05), name


@pytest.mark.parametrize("name", ["blur_px", "noise", "light", "burnt_share", "shadow_light", "brightness",
                                  "contrast", "chroma", "hue_spread", "border_edges", "border_colours"])  # fmt: skip
def test_a_mirror_image_has_the_same_scores(name: str) -> None:
    image = scene(8)
    straight, turned = scores(image)[name], scores(mirrored(image))[name]
    assert turned == pytest.approx(straight, rel=0.04, abs=0.004)
