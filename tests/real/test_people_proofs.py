"""What must not matter does not (mirror, size, JPEG), and what is changed on purpose is measured."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import real_photos
from PIL import Image

from lora_train.audit.limits import DEFAULT_LIMITS as LIMITS
from lora_train.dataset.photo import open_photo
from lora_train.faces.types import Face, FaceAnalyzer

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
PORTRAITS = (
    "astronaut.png",
    "flux_fill_inpaint_example-1.webp",
    "hidream_e1_1-1.webp",
    "flux_dev_checkpoint_example-1.webp",
)


@pytest.fixture(scope="module")
def look() -> Callable[[Image.Image], Face]:
    """The main face of a picture."""
    analyzer = real_photos.analyzer("faces")

    def main(image: Image.Image) -> Face:
        face = analyzer.look(image).main
        assert face is not None
        return face

    return main


@pytest.fixture(params=PORTRAITS)
def portrait(request: pytest.FixtureRequest) -> Image.Image:
    return open_photo(real_photos.photo(request.param), 1024)


def test_mirror(look: Callable[[Image.Image], Face], portrait: Image.Image) -> None:
    a, b = look(portrait), look(portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert a.yaw_deg == pytest.approx(-b.yaw_deg, abs=7)  # type: ignore[operator]
    assert a.roll_deg == pytest.approx(-b.roll_deg, abs=3)  # type: ignore[operator]
    assert a.pitch_deg == pytest.approx(b.pitch_deg, abs=5)
    assert a.eyes_open == pytest.approx(b.eyes_open, abs=0.03)
    assert a.shadow_stops == pytest.approx(b.shadow_stops, abs=0.3)
    assert a.blur_px == pytest.approx(b.blur_px, abs=0.15)
    assert a.box[0] == pytest.approx(1 - b.box[2], abs=0.02)


@pytest.mark.parametrize("scale", [0.75, 1.7])
def test_size(look: Callable[[Image.Image], Face], portrait: Image.Image, scale: float) -> None:
    size = (round(portrait.width * scale), round(portrait.height * scale))
    a, b = look(portrait), look(portrait.resize(size, Image.Resampling.LANCZOS))
    assert np.allclose(a.box, b.box, atol=0.02)
    assert a.yaw_deg == pytest.approx(b.yaw_deg, abs=4) and a.pitch_deg == pytest.approx(b.pitch_deg, abs=4)
    assert a.eyes_open == pytest.approx(b.eyes_open, abs=0.04)
    assert a.light == pytest.approx(b.light, abs=0.02)
    assert a.shadow_stops == pytest.approx(b.shadow_stops, abs=0.25)


@pytest.mark.parametrize("quality", [95, 80])
def test_jpeg(look: Callable[[Image.Image], Face], portrait: Image.Image, quality: int) -> None:
    file = io.BytesIO()
    portrait.save(file, "JPEG", quality=quality)
    a, b = look(portrait), look(Image.open(file))
    assert np.allclose(a.box, b.box, atol=0.01)
    assert a.yaw_deg == pytest.approx(b.yaw_deg, abs=3) and a.eyes_open == pytest.approx(b.eyes_open, abs=0.03)
    assert a.smile == pytest.approx(b.smile, abs=0.15) and a.covered == pytest.approx(b.covered, abs=0.1)


def test_a_tilted_photo_tilts_the_head(look: Callable[[Image.Image], Face], portrait: Image.Image) -> None:
    """The roll follows the photo, and nothing else does: eyes stay open, yaw stays small."""
    level = look(portrait)
    for angle in (-30, -15, 15, 30):
        turned = look(portrait.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128)))
        assert turned.roll_deg - level.roll_deg == pytest.approx(angle, abs=5)  # type: ignore[operator]
        assert turned.eyes_open == pytest.approx(level.eyes_open, abs=0.06)
        assert turned.yaw_deg == pytest.approx(level.yaw_deg, abs=10)


@pytest.mark.parametrize("name", ["astronaut.png", "hidream_e1_1-1.webp"])
def test_a_darkened_half_crosses_the_limit(look: Callable[[Image.Image], Face], name: str) -> None:
    """Each stop of light taken from half of the face is a stop more of shadow."""
    image = open_photo(real_photos.photo(name), 1024)
    middle = look(image).middle[0]
    found = [look(_shaded(image, middle, stops)).shadow_stops for stops in (0, 1, 2, 3, 4)]
    assert all(b - a > 0.5 for a, b in zip(found, found[1:], strict=False))  # type: ignore[operator]
    assert found[0] < LIMITS.max_shadow_stops < found[2] + 0.3 and found[4] > LIMITS.max_shadow_stops_reject  # type: ignore[operator]


def test_a_black_bar_over_the_eyes_covers_the_face(look: Callable[[Image.Image], Face], portrait: Image.Image) -> None:
    from PIL import ImageDraw

    face = look(portrait)
    assert face.covered is not None and face.covered < LIMITS.max_covered and face.eyes is not None
    shaded = portrait.copy()
    (x1, y1), (x2, y2) = ((x * portrait.width, y * portrait.height) for x, y in face.eyes)
    reach, thick = (x2 - x1) * 0.42, (x2 - x1) * 0.32
    draw = ImageDraw.Draw(shaded)
    for x, y in ((x1, y1), (x2, y2)):
        draw.ellipse((x - reach, y - thick, x + reach, y + thick), fill=(12, 12, 14))
    covered = look(shaded).covered
    assert covered is not None and covered > LIMITS.max_covered


def test_blur_of_the_face_grows(look: Callable[[Image.Image], Face]) -> None:
    from PIL import ImageFilter

    image = open_photo(real_photos.photo("flux_fill_inpaint_example-1.webp"), 1024)
    found = [look(image.filter(ImageFilter.GaussianBlur(s))).blur_px for s in (0, 2, 4, 7)]
    assert found == sorted(found) and found[-1] > found[0] + 2  # type: ignore[type-var, operator]
    assert found[0] < LIMITS.max_face_blur_px < found[-1]  # type: ignore[operator]


def test_light_of_the_face_follows_the_exposure(look: Callable[[Image.Image], Face], portrait: Image.Image) -> None:
    found = [look(_exposed(portrait, stops)).light for stops in (-3, -1.5, 0)]
    assert found == sorted(found) and found[0] == pytest.approx(found[2] / 8, rel=0.35)  # type: ignore[type-var, operator]


def test_analyzers_are_deterministic(portrait: Image.Image) -> None:
    analyzer: FaceAnalyzer = real_photos.analyzer("faces", "body")
    assert analyzer.look(portrait) == analyzer.look(portrait)


def _exposed(image: Image.Image, stops: float) -> Image.Image:
    """``stops`` more or less linear light."""
    gain = 2.0 ** (stops / 2.2)
    return image.point([min(255, round(v * gain)) for v in range(256)] * 3)


def _shaded(image: Image.Image, middle: float, stops: float) -> Image.Image:
    """The right part of the picture, from the middle of the face on, with ``stops`` less light."""
    out = image.copy()
    left = round(middle * image.width)
    out.paste(_exposed(image, -stops).crop((left, 0, image.width, image.height)), (left, 0))
    return out
