"""The 468 points of a face, and what their places say: head pose, smile, proportions.

MediaPipe's face mesh (Kartynnik et al. 2019). Its lids do not close: eyes are judged in :mod:`.eyes`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .raster import Picture, Square, line_angle
from .runtime import Network

_ROOM = 1.5
LEFT_EYE, RIGHT_EYE = (33, 133), (362, 263)
"""Corners of the eye on the left and on the right of the image, each from left to right."""
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
        148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""Outline of the face, point after point."""
PITCH_OFFSET_DEG = 8.0
"""What the mesh reads as pitch for people who look straight ahead."""


@dataclass(frozen=True)
class Mesh:
    """``points`` (468, 3) in pixels of the picture, depth in the same unit and + away from the camera."""

    points: np.ndarray
    presence: float
    """Logit that there is a face; every real one of the test photos had 8 or more, other things -5 or less."""
    angle: float
    """Angle of the square that the points come from, radians."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Hull in pixels: left, top, right, bottom."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def fit_mesh(network: Network, picture: Picture, box: np.ndarray, eyes: np.ndarray) -> Mesh:
    """The mesh of the face in ``box`` (4,) whose eyes are at ``eyes`` (2, 2), from the left of the image."""
    square = _around_box(box, line_angle(eyes[0], eyes[1]))
    first = _fit(network, picture, square)
    return _fit(network, picture, _around_points(first.points))


def pose_deg(mesh: Mesh) -> tuple[float, float, float]:
    """(yaw, pitch, roll) from the axes of the face: ear to ear, and forehead to chin at a right angle to it.

    Roll is taken out first, then yaw, so that a turned head keeps its pitch.
    """
    points = _turned(mesh.points, -mesh.angle)
    across = points[454] - points[234]
    rest = math.atan2(across[1], across[0])
    points = _turned(points, -rest)
    x, y = points[454] - points[234], points[152] - points[10]
    x = x / np.linalg.norm(x)
    y = y - x * float(x @ y)
    yaw = math.atan2(-x[2], x[0])
    pitch = math.atan2(y[2] * math.cos(yaw) + y[0] * math.sin(yaw), y[1])
    roll = math.remainder(mesh.angle + rest, 2 * math.pi)
    return math.degrees(yaw), math.degrees(pitch) - PITCH_OFFSET_DEG, math.degrees(roll)


def smile(mesh: Mesh) -> float:
    """0..1, from 0.5 a smile: the mouth is wide, or rather wide with lifted corners and a gap."""
    p = _turned(mesh.points, -mesh.angle)[:, :2]
    mouth = float(np.linalg.norm(p[61] - p[291]))
    wide = mouth / max(1e-6, float(np.linalg.norm(p[33] - p[263])))
    gap = float(np.linalg.norm(p[13] - p[14])) / max(1e-6, mouth)
    lift = (float((p[13] + p[14])[1]) / 2 - float((p[61] + p[291])[1]) / 2) / max(1e-6, mouth)
    broad = _ramp(wide, 0.60, 0.80)
    likely = min(_ramp(wide, 0.50, 0.70), _ramp(lift, 0.0, 0.20), _ramp(gap, 0.0, 0.18))
    return max(broad, likely)


def nose_ratio(mesh: Mesh) -> float:
    """Width of the nose over width of the face, both in space."""
    p = mesh.points
    return float(np.linalg.norm(p[48] - p[278]) / max(1e-6, np.linalg.norm(p[234] - p[454])))


def eye_distance_px(mesh: Mesh) -> float:
    """Distance of the eyes' middles in space: turning the head does not change it."""
    p = mesh.points
    return float(np.linalg.norm(p[[33, 133]].mean(axis=0) - p[[362, 263]].mean(axis=0)))


def _turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Points (n, 3) turned on the screen around the corner of the picture."""
    c, s = math.cos(angle), math.sin(angle)
    return points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T


def _fit(network: Network, picture: Picture, square: Square) -> Mesh:
    size = network.size_px
    outputs = network(picture.cut(square, size).astype(np.float32) / 255)
    points, presence = sorted(outputs, key=lambda o: -o.size)
    shares = points.reshape(-1, 3) / size
    return Mesh(square.to_picture(shares), float(presence.ravel()[0]), square.angle)


def _around_box(box: np.ndarray, angle: float) -> Square:
    side = _ROOM * max(box[2] - box[0], box[3] - box[1])
    return Square((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, side, angle)


def _around_points(points: np.ndarray) -> Square:
    """The square around a first mesh, level with its eyes."""
    angle = line_angle(points[33], points[263])
    c, s = math.cos(-angle), math.sin(-angle)
    u, v = c * points[:, 0] - s * points[:, 1], s * points[:, 0] + c * points[:, 1]
    side = _ROOM * max(np.ptp(u), np.ptp(v))
    mu, mv = (u.min() + u.max()) / 2, (v.min() + v.max()) / 2
    return Square(float(c * mu + s * mv), float(-s * mu + c * mv), float(side), angle)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
