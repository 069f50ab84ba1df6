"""Light on a painted face, masks of people, and the space around them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lora_train.faces.mesh import OVAL, Mesh
from lora_train.faces.person import Mask, background, body_around, joined, nearest
from lora_train.faces.raster import Picture
from lora_train.faces.skin import judge_skin
from lora_train.faces.types import Face

CHEEKS = {50: (-45, 20), 205: (-40, 45), 187: (-48, 50), 101: (-30, 15), 36: (-22, 18), 212: (-38, 60), 69: (-30, -75)}
RIGHT = {280: 50, 425: 205, 411: 187, 330: 101, 266: 36, 432: 212, 299: 69}


def mesh() -> Mesh:
    """A level face of 140 x 200 px around (200, 200)."""
    p = np.zeros((468, 3))
    for i, index in enumerate(OVAL):
        angle = 2 * np.pi * i / len(OVAL) - np.pi / 2
        p[index, :2] = 70 * np.cos(angle), 100 * np.sin(angle)
    for index, place in CHEEKS.items():
        p[index, :2] = place
    for index, twin in RIGHT.items():
        p[index, :2] = -CHEEKS[twin][0], CHEEKS[twin][1]
    p[33, :2], p[263, :2], p[234, :2], p[454, :2] = (-50, -25), (50, -25), (-70, 0), (70, 0)
    return Mesh(p + [200, 200, 0], 20.0, 0.0)


def painted(left: int = 170, right: int = 170) -> Image.Image:
    image = Image.new("RGB", (400, 400), (40, 40, 40))
    image.paste((left,) * 3, (100, 80, 200, 320))
    image.paste((right,) * 3, (200, 80, 300, 320))
    return image


def test_shadow_grows_as_one_half_gets_darker() -> None:
    stops = [judge_skin(Picture(painted(170, v)), mesh()).shadow_stops for v in (170, 140, 110, 80, 50)]
    assert stops[0] == pytest.approx(0, abs=0.05) and stops == sorted(stops) and stops[-1] > 2.5
    assert judge_skin(Picture(painted(80, 170)), mesh()).shadow_stops == pytest.approx(stops[3], abs=0.05)


def test_a_lock_of_hair_is_no_shadow() -> None:
    image = painted()
    image.paste((10, 10, 10), (230, 200, 260, 235))
    assert judge_skin(Picture(image), mesh()).shadow_stops < 0.3


def test_light_and_burnt_skin() -> None:
    assert judge_skin(Picture(painted(60, 60)), mesh()).light < judge_skin(Picture(painted()), mesh()).light
    assert judge_skin(Picture(painted()), mesh()).clipped_share == 0
    assert judge_skin(Picture(painted(170, 255)), mesh()).clipped_share == pytest.approx(0.5, abs=0.1)


def face(x: float, y: float = 0.3, width: float = 0.1) -> Face:
    return Face((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 0.9)


def two_people() -> np.ndarray:
    people = np.zeros((256, 256), bool)
    people[50:250, 40:110] = True
    people[60:250, 105:200] = True
    return people


def test_a_body_belongs_to_the_face_above_it() -> None:
    left, right = face(0.29), face(0.6)
    body = body_around(Mask(two_people()), (left, right), {})
    other = body_around(Mask(two_people()), (right, left), {})
    assert body is not None and other is not None
    assert body.box[0] == pytest.approx(40 / 256, abs=0.01) and body.box[2] < 0.46
    assert other.box[2] == pytest.approx(200 / 256, abs=0.01) and other.box[0] > 0.42
    assert 0.15 < body.mask_share < 0.35


def test_without_mask_and_points_there_is_no_body() -> None:
    assert body_around(None, (face(0.5),), {}) is None
    assert body_around(Mask(np.zeros((256, 256), bool)), (face(0.5),), {}) is None


def test_points_of_the_body_widen_its_box_inside_the_photo() -> None:
    parts = {"left_ankle": (0.5, 1.2, 0.9), "left_wrist": (0.8, 0.5, 0.9), "right_wrist": (0.0, 0.5, 0.1)}
    body = body_around(None, (face(0.5),), parts)
    assert body is not None and body.box[2:] == (0.8, 1.0) and body.box[0] == pytest.approx(0.45)
    assert body.mask_share == 0


def test_what_is_not_connected_is_someone_else() -> None:
    people = np.zeros((256, 256), bool)
    people[20:120, 20:80] = people[150:250, 150:220] = True
    found = joined(people, face(0.2, 0.2).box)
    assert found[:130].sum() == people[:130].sum() and not found[140:].any()


def test_nearest_with_one_face_is_everywhere() -> None:
    assert nearest((face(0.5),), (8, 8)).all()


def test_background_is_measured_outside_of_people() -> None:
    """A noisy person on a calm wall is calm; a calm person on noise is not."""
    noise = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    person = np.zeros((256, 256), bool)
    person[60:256, 70:190] = True
    calm = np.full_like(noise, 120)
    on_wall = background(Mask(person), Picture(Image.fromarray(np.where(person[..., None], noise, calm))), ())
    on_noise = background(Mask(person), Picture(Image.fromarray(np.where(person[..., None], calm, noise))), ())
    assert on_wall is not None and on_noise is not None
    assert on_wall.edges < 0.05 < 0.5 < on_noise.edges and on_wall.colours_bits < 1 < 4 < on_noise.colours_bits


def test_background_is_unknown_where_the_mask_misses_a_face_or_fills_the_photo() -> None:
    picture = Picture(Image.new("RGB", (256, 256)))
    assert background(Mask(np.zeros((256, 256), bool)), picture, (face(0.5),)) is None
    assert background(Mask(np.ones((256, 256), bool)), picture, (face(0.5),)) is None
