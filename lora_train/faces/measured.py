"""What a fitted mesh tells about a face: pose, light, blur, cover, eyes, smile, each only where it can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..audit.blur import blur_px
from ..dataset.colour import luma
from .mesh import LEFT_EYE, RIGHT_EYE, Mesh, nose_ratio, pose_deg, smile
from .raster import Picture
from .skin import judge_skin
from .types import Face

FACE_PX = 256
"""Longer side of the face crop whose blur is measured."""
IDENTITY_POINTS = [263, 362, 33, 133, 2]
"""Outer and inner eye corners, right of the image first, and the base of the nose."""
_MIN_EYE_PX = 64
_MIN_COVER_PX = 56
"""Height of a face below which a hat's shade and sunglasses look alike."""
_MAX_TURN_DEG = 40.0
"""Heads turned further hide one eye and stretch the mesh: eyes, smile and nose are not read there."""
_MAX_TURN_LIGHT_DEG = 30.0


def measured_face(
    picture: Picture, mesh: Mesh, confidence: float, eyes_open: Callable[[], tuple[float, float]]
) -> Face:
    """The face under ``mesh``; ``eyes_open`` is only asked where eyes can be read: lid gap / eye width of both."""
    yaw, pitch, roll = pose_deg(mesh)
    skin = judge_skin(picture, mesh)
    face = Face(
        box=shares(mesh.box, picture),
        confidence=confidence,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        light=skin.light,
        clipped_share=skin.clipped_share,
        blur_px=blur_px(luma(picture.region(mesh.box, FACE_PX))),
        eyes=tuple(_point(mesh, corners, picture) for corners in (LEFT_EYE, RIGHT_EYE)),  # type: ignore[arg-type]
        mouth=_point(mesh, (13, 14), picture),
    )
    height_px = mesh.box[3] - mesh.box[1]
    if abs(yaw) <= _MAX_TURN_LIGHT_DEG:
        face = replace(face, shadow_stops=skin.shadow_stops)
        if height_px >= _MIN_COVER_PX:
            face = replace(face, covered=skin.covered)
    if abs(yaw) > _MAX_TURN_DEG or height_px < _MIN_EYE_PX:
        return face
    eyes = eyes_open()
    return replace(
        face,
        eyes_open=sum(eyes) / 2,
        eyes_open_wider=max(eyes),
        smile=smile(mesh),
        nose_ratio=nose_ratio(mesh),
    )


def shares(box: np.ndarray | tuple[float, ...], picture: Picture) -> tuple[float, float, float, float]:
    """Pixels to shares of the picture, cut at its border."""
    x, y = picture.width, picture.height
    values = (box[0] / x, box[1] / y, box[2] / x, box[3] / y)
    left, top, right, bottom = (float(min(1.0, max(0.0, v))) for v in values)
    return left, top, right, bottom


def _point(mesh: Mesh, indices: tuple[int, int], picture: Picture) -> tuple[float, float]:
    x, y = mesh.points[list(indices), :2].mean(axis=0)
    return float(x / picture.width), float(y / picture.height)
