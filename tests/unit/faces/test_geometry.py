"""Cutting squares out, decoding detectors, and what the places of mesh points say: no model needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from lora_train.faces.detect import Detector, anchors, find_faces, full_range, merge, overlap, short_range
from lora_train.faces.eyes import lid_gap
from lora_train.faces.mesh import PITCH_OFFSET_DEG, Mesh, nose_ratio, pose_deg, smile
from lora_train.faces.raster import Picture, Square, around


class FakeNetwork:
    """Answers with one face at a place of the square it is shown, or with none."""

    def __init__(self, size_px: int, cells: int, face: tuple[float, float, float] | None) -> None:
        self.size_px, self.cells, self.face, self.seen = size_px, cells, face, 0

    def __call__(self, pixels: np.ndarray) -> list[np.ndarray]:
        self.seen += 1
        assert pixels.shape == (self.size_px, self.size_px, 3) and pixels.min() >= -1 and pixels.max() <= 1
        n = len(anchors(self.cells))  # type: ignore[arg-type]
        boxes, logits = np.zeros((1, n, 16), np.float32), np.full((1, n, 1), -9, np.float32)
        if self.face:
            x, y, side = self.face
            near = np.argsort(((anchors(self.cells) - (x, y)) ** 2).sum(axis=1))[:3]  # type: ignore[arg-type]
            for i in near:
                boxes[0, i, :2] = (np.array([x, y]) - anchors(self.cells)[i]) * self.size_px  # type: ignore[arg-type]
                boxes[0, i, 2:4] = side * self.size_px
                logits[0, i] = 3
        return [logits, boxes]


def detector(face: tuple[float, float, float] | None, near: bool = False) -> Detector:
    made = short_range if near else full_range
    grids = made(None).grids  # type: ignore[arg-type]
    return made(FakeNetwork(128 if near else 192, grids, face))  # type: ignore[arg-type]


def test_anchors_are_as_many_as_the_networks_have() -> None:
    assert len(anchors(((48, 1),))) == 2304 and len(anchors(((16, 2), (8, 6)))) == 896
    assert len(anchors(((28, 2), (14, 2), (7, 6)))) == 2254
    assert anchors(((48, 1),))[0] == pytest.approx([0.5 / 48] * 2)


def test_a_box_comes_back_in_pixels_of_the_picture() -> None:
    """A 400 x 200 picture sits in the middle of the square that the detector sees."""
    (found,) = detector((0.25, 0.5, 0.1)).look(Picture(Image.new("RGB", (400, 200))), around(400, 200))
    assert found.box == pytest.approx([80, 80, 120, 120], abs=0.5) and found.score > 0.9


def test_what_is_seen_twice_counts_once() -> None:
    picture, square = Picture(Image.new("RGB", (300, 300))), around(300, 300)
    far, near = detector((0.5, 0.5, 0.2)), detector((0.51, 0.5, 0.22), near=True)
    assert len(merge(far.look(picture, square), near.look(picture, square))) == 1
    assert len(merge(far.look(picture, square), detector((0.1, 0.1, 0.1)).look(picture, square))) == 2


def test_looking_goes_on_with_more_room_and_then_in_parts() -> None:
    far, near = detector(None), detector(None, near=True)
    assert [len(found) for found in find_faces(Picture(Image.new("RGB", (90, 120))), far, near)] == [0, 0, 0]
    assert far.network.seen == 2 + 5 and near.network.seen == 2  # type: ignore[attr-defined]


def test_overlap() -> None:
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, box) == 1 and overlap(box, box + 10) == 0
    assert overlap(box, np.array([5.0, 0, 15, 10])) == pytest.approx(1 / 3)


def test_cutting_undoes_the_turn_of_the_square() -> None:
    """A bar that leans by 30 degrees stands level in a square that leans as much."""
    image = Image.new("RGB", (300, 300))
    image.paste((255, 255, 255), (100, 140, 200, 160))
    leaning = Picture(image.rotate(-30, Image.Resampling.BICUBIC))
    cut = leaning.cut(Square(150, 150, 120, math.radians(30)), 120)[..., 0] > 128
    rows = np.flatnonzero(cut.any(axis=1))
    assert 18 <= len(rows) <= 23 and cut[60, 15:105].all()
    upright = leaning.cut(Square(150, 150, 120), 120)[..., 0] > 128
    assert len(np.flatnonzero(upright.any(axis=1))) > 60


def test_cutting_mirrors_and_stays_the_same_at_every_size() -> None:
    values = np.linspace(0, 255, 256, dtype=np.uint8)
    ramp = Image.fromarray(np.stack([np.tile(values, (256, 1))] * 3, axis=-1))
    straight = Picture(ramp).cut(around(256, 256), 32)
    assert np.abs(straight[:, ::-1].astype(int) - Picture(ramp).cut(around(256, 256), 32, mirror=True)).max() <= 9
    large = Picture(ramp.resize((2048, 2048))).cut(around(2048, 2048), 32)
    assert np.abs(straight.astype(int) - large).max() <= 6


def test_small_squares_of_large_pictures_are_averaged_first() -> None:
    """A fine chequerboard is grey when it is seen from afar, not black or white."""
    board = (np.indices((1024, 1024)).sum(axis=0) % 2 * 255).astype(np.uint8)
    far = Picture(Image.fromarray(np.stack([board] * 3, axis=-1))).cut(around(1024, 1024), 32)
    assert np.abs(far.astype(int) - 127).max() < 40


def test_points_of_a_square_go_back_to_the_picture() -> None:
    square = Square(100, 50, 40, math.pi / 2)
    points = square.to_picture(np.array([[0.5, 0.5, 0.1], [1.0, 0.5, 0.0]]))
    assert points[0] == pytest.approx([100, 50, 4]) and points[1] == pytest.approx([100, 70, 0])


def head(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, **moved: tuple[float, float, float]) -> Mesh:
    """A head whose points that the measures read are where a level face has them, then turned."""
    p = np.zeros((468, 3))
    places = {
        234: (-50, 0, 20), 454: (50, 0, 20), 10: (0, -70, 0), 152: (0, 70, 0), 33: (-35, -20, 0), 133: (-12, -20, 0),
        362: (12, -20, 0), 263: (35, -20, 0), 61: (-19, 35, -5), 291: (19, 35, -5), 13: (0, 34, -8), 14: (0, 36, -8),
        48: (-13, 15, -5), 278: (13, 15, -5), 1: (0, 10, -25),
    }  # fmt: skip
    for index, place in (places | {int(k[1:]): v for k, v in moved.items()}).items():
        p[index] = place
    y, x, z = (math.radians(a) for a in (yaw, -(pitch + PITCH_OFFSET_DEG), roll))
    # In a frame with y down and z away: a head turned to the left of the image moves its nose to -x.
    turn_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    turn_x = np.array([[1, 0, 0], [0, math.cos(x), math.sin(x)], [0, -math.sin(x), math.cos(x)]])
    turn_z = np.array([[math.cos(z), -math.sin(z), 0], [math.sin(z), math.cos(z), 0], [0, 0, 1]])
    return Mesh(p @ turn_x.T @ turn_y.T @ turn_z.T + [200, 200, 0], 20.0, z)


ANGLES = [(0, 0, 0), (30, 0, 0), (-40, 0, 0), (0, 20, 0), (0, -25, 0), (25, 0, 40), (0, 15, -60), (-30, 20, 10)]


@pytest.mark.parametrize("angles", ANGLES)
def test_head_pose(angles: tuple[float, float, float]) -> None:
    assert pose_deg(head(*angles)) == pytest.approx(angles, abs=0.5)


def test_the_nose_shows_which_way_the_head_is_turned() -> None:
    left = head(yaw=30)
    assert left.points[1, 0] < left.points[[33, 263], 0].mean() and pose_deg(left)[0] > 0
    down, level = head(pitch=30), head()
    assert _nose_below_middle(down) > _nose_below_middle(level) + 5 and pose_deg(down)[1] > 0


def _nose_below_middle(mesh: Mesh) -> float:
    return float(mesh.points[1, 1] - mesh.points[[10, 152], 1].mean())


def test_smile_needs_a_wide_mouth() -> None:
    neutral = smile(head())
    wide = smile(head(p61=(-26, 33, -5), p291=(26, 33, -5), p13=(0, 32, -8), p14=(0, 40, -8)))
    speaking = smile(head(p13=(0, 30, -8), p14=(0, 48, -8)))
    assert neutral < 0.3 < 0.5 < wide and speaking < 0.5
    assert smile(head(yaw=25, roll=30)) == pytest.approx(neutral, abs=0.15)


def test_the_nose_is_measured_in_space() -> None:
    assert nose_ratio(head(yaw=35)) == pytest.approx(nose_ratio(head())) == pytest.approx(0.26)


def eye(gap: float) -> np.ndarray:
    """Outline of an eye of width 10 whose lids are ``gap`` apart in the middle."""
    x = np.linspace(-5, 5, 9)
    arc = 1 - (x / 5) ** 2
    lower = np.stack([x, gap / 2 * arc], axis=1)
    upper = np.stack([x, -gap / 2 * arc], axis=1)
    return np.concatenate([lower, upper[1:8]])


def test_lid_gap_grows_with_the_eye_and_does_not_see_its_size() -> None:
    gaps = [lid_gap(eye(g)) for g in (0, 1, 2, 4)]
    assert gaps == sorted(gaps) and gaps[0] == 0 and gaps[-1] == pytest.approx(0.4 * 0.875, abs=0.08)
    assert lid_gap(eye(2) * 7) == pytest.approx(gaps[2])
