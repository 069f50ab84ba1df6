"""A landmarker of the host, played by the pack's own mesh on real photos: the same points say the same things."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import real_photos

from lora_train.audit.limits import DEFAULT_LIMITS as LIMITS
from lora_train.dataset.photo import open_photo
from lora_train.faces.landmarks import LandmarkAnalyzer, mesh_of
from lora_train.faces.mediapipe import MediaPipeAnalyzer
from lora_train.faces.mesh import Mesh
from lora_train.faces.raster import Picture
from lora_train.faces.types import People

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
PHOTOS = ("astronaut.png", "sample4.jpg", "api_nano_banana_pro-2.webp")


@pytest.fixture(scope="module")
def analyzer() -> MediaPipeAnalyzer:
    return replace(real_photos.analyzer("faces"), second=None)  # type: ignore[type-var,return-value]


def reported(mesh: Mesh, blink: float = 0.0, **changes: Any) -> dict[str, Any]:
    """A mesh as ComfyUI's landmarker reports it: points in the picture, and in the level square of 192 px."""
    scale, angle = 192 / 1.5 / np.ptp(mesh.points[:, 0]), -mesh.angle
    c, s = math.cos(angle), math.sin(angle)
    centred = mesh.points - mesh.points.mean(axis=0)
    level = centred @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T * scale + [96, 96, 0]
    irises = np.zeros((10, 3))
    return {
        "landmarks_xy": np.vstack([mesh.points, irises])[:, :2].astype(np.float32),
        "landmarks_3d": np.vstack([level, irises]).astype(np.float32),
        "blendshapes": {"eyeBlinkLeft": blink, "eyeBlinkRight": blink},
        "presence": mesh.presence, "score": 0.9, **changes,
    }  # fmt: skip


@pytest.mark.parametrize("name", PHOTOS)
def test_the_same_points_say_the_same(name: str, analyzer: MediaPipeAnalyzer) -> None:
    image = open_photo(real_photos.photo(name), 1536)
    meshes = [mesh for _, mesh in analyzer._faces(Picture(image))[0]]
    seen = LandmarkAnalyzer(lambda pixels: [reported(m) for m in meshes]).look(image)
    ours = analyzer.look(image)
    assert len(seen.faces) == len(ours.faces) >= 1
    for one, other in zip(seen.faces, ours.faces, strict=True):
        assert one.box == pytest.approx(other.box, abs=1e-3)
        for what in ("yaw_deg", "pitch_deg", "roll_deg", "smile", "nose_ratio", "shadow_stops", "light", "covered"):
            mine, theirs = getattr(one, what), getattr(other, what)
            assert (mine is None) == (theirs is None) and mine == pytest.approx(theirs, abs=0.05), what


def test_blinks_cross_the_limits_of_closed_and_of_surely_open(analyzer: MediaPipeAnalyzer) -> None:
    image = open_photo(real_photos.photo("astronaut.png"), 1536)
    ((_, mesh),) = analyzer._faces(Picture(image))[0]

    def eyes(blink: float) -> float:
        (face,) = LandmarkAnalyzer(lambda pixels: [reported(mesh, blink)]).look(image).faces
        return face.eyes_open  # type: ignore[return-value]

    values = [eyes(b) for b in (0.0, 0.2, 0.4, 0.6, 0.9)]
    assert values == sorted(values, reverse=True)
    assert eyes(0.2) > LIMITS.good_eyes_open > eyes(0.45) > LIMITS.min_eyes_open > eyes(0.6)
    assert mesh_of(reported(mesh)).angle == pytest.approx(mesh.angle, abs=1e-4)


def test_what_is_no_face_does_not_count_and_one_detector_proves_no_absence(analyzer: MediaPipeAnalyzer) -> None:
    image = open_photo(real_photos.photo("astronaut.png"), 1536)
    ((_, mesh),) = analyzer._faces(Picture(image))[0]
    nothing = LandmarkAnalyzer(lambda pixels: [reported(mesh, presence=-5.0)])
    assert nothing.look(image).faces == () and not nothing.look(image).sees_all
    asked: list[People] = []

    class Second:
        id, title, measures = "second", "", frozenset({"box"})

        def look(self, image: object) -> People:
            asked.append(analyzer.look(image))  # type: ignore[arg-type]
            return asked[-1]

    assert len(replace(nothing, second=Second()).look(image).faces) == 1 and len(asked) == 1
