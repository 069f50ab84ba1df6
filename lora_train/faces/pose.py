"""33 points of the body by MediaPipe's BlazePose (Bazarevsky et al. 2020): detector, then landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .detect import anchors
from .raster import Picture, Square, around
from .runtime import Network
from .types import Face, Part

_GRIDS = ((28, 2), (14, 2), (7, 6))
_MIN_SCORE = 0.5
_ROOM = 1.25
_INDEX = {
    "nose": 0, "left_eye": 2, "right_eye": 5, "left_ear": 7, "right_ear": 8, "mouth_left": 9,
    "mouth_right": 10, "left_shoulder": 11, "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14,
    "left_wrist": 15, "right_wrist": 16, "left_index": 19, "right_index": 20, "left_hip": 23,
    "right_hip": 24, "left_knee": 25, "right_knee": 26, "left_ankle": 27, "right_ankle": 28,
    "left_foot": 31, "right_foot": 32,
}  # fmt: skip
_TRIES = 3


@dataclass(frozen=True)
class PoseNets:
    detector: Network
    landmarks: Network


def body_points(nets: PoseNets, picture: Picture, face: Face) -> dict[str, Part]:
    """Points of the person whose nose is in ``face``, by name; empty where that person is not found."""
    middle = face.middle[0] * picture.width
    people = sorted(_people(nets.detector, picture), key=lambda square: abs(square.x - middle))
    for square in people[:_TRIES]:
        points = _landmarks(nets.landmarks, picture, square)
        if points is not None and _same_person(points, picture, face):
            return points
    return {}


def _people(detector: Network, picture: Picture) -> list[Square]:
    """Squares around the people, the surest first: middle of the hips and a point on the circle around all."""
    size = detector.size_px
    frame = around(picture.width, picture.height)
    values, logits = sorted(detector(picture.cut(frame, size).astype(np.float32) / 127.5 - 1),
                            key=lambda o: -o.shape[-1])  # fmt: skip
    scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -50, 50)))
    out: list[Square] = []
    for i in np.argsort(-scores)[:40]:
        if scores[i] < _MIN_SCORE:
            break
        points = frame.to_picture(values[0, i, 4:8].reshape(2, 2) / size + anchors(_GRIDS)[i])
        hips, reach = points
        radius = float(np.linalg.norm(reach - hips))
        if any(math.hypot(s.x - hips[0], s.y - hips[1]) < 0.4 * s.side / 2 for s in out) or radius < 4:
            continue
        angle = math.pi / 2 - math.atan2(-(reach[1] - hips[1]), reach[0] - hips[0])
        out.append(Square(float(hips[0]), float(hips[1]), 2 * _ROOM * radius, angle))
    return out


def _landmarks(network: Network, picture: Picture, square: Square) -> dict[str, Part] | None:
    size = network.size_px
    outputs = network(picture.cut(square, size).astype(np.float32) / 255)
    presence = next(o for o in outputs if o.size == 1).item()
    if presence < _MIN_SCORE:
        return None
    rows = next(o for o in outputs if o.size == 195).reshape(39, 5)
    places = square.to_picture(rows[:, :2] / size)
    seen = 1 / (1 + np.exp(-np.clip(rows[:, 3], -50, 50)))
    return {
        name: (float(places[i, 0] / picture.width), float(places[i, 1] / picture.height), float(seen[i]))
        for name, i in _INDEX.items()
    }


def _same_person(points: dict[str, Part], picture: Picture, face: Face) -> bool:
    """The nose lies in the face, or close to it."""
    x, y, _ = points["nose"]
    left, top, right, bottom = face.box
    margin_x, margin_y = 0.25 * (right - left), 0.25 * (bottom - top)
    return left - margin_x <= x <= right + margin_x and top - margin_y <= y <= bottom + margin_y
