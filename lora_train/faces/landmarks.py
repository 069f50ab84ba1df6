"""Faces from a landmarker that somebody else has loaded: MediaPipe's 478 points and 52 expressions per face.

Each face comes as a mapping: ``landmarks_xy`` (478, 2) in pixels of the picture, ``landmarks_3d`` (478, 3) in the
level square that they were found in, ``blendshapes`` by name, ``presence`` (logit), ``score`` (0..1).
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .measured import measured_face
from .mesh import Mesh
from .raster import Picture
from .types import Face, FaceAnalyzer, People

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
_MESH_POINTS = 468
"""The others are the irises."""
_PRESENT = 0.0
_OPEN_SHARE = 0.34
"""Lid gap over eye width of an open eye: half of it, a blink of 0.5, is the limit of closed (0.17)."""
_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")

Detect = Callable[[np.ndarray], Sequence[Mapping[str, Any]]]
"""(h, w, 3) uint8 RGB to faces."""


@dataclass(frozen=True, eq=False)
class LandmarkAnalyzer:
    """Pose, smile, light, cover and eyes from ``detect``; ``second`` looks again where it found no face."""

    detect: Detect
    second: FaceAnalyzer | None = None
    title: str = "face landmarks of the host"

    @property
    def id(self) -> str:
        return "+".join([f"landmarks-{VERSION}", *([self.second.id] if self.second else [])])

    @property
    def measures(self) -> frozenset[str]:
        return frozenset(
            {"box", "confidence", "eyes_open", "yaw_deg", "pitch_deg", "roll_deg", "smile", "shadow_stops", "light",
             "clipped_share", "blur_px", "covered", "nose_ratio", "eyes", "mouth"}
        )  # fmt: skip

    def look(self, image: Image) -> People:
        """Everything about the faces in one upright picture."""
        picture = Picture(image)
        found = [f for f in self.detect(np.asarray(picture.image)) if f["presence"] > _PRESENT]
        faces = [_face(picture, one) for one in found]
        if not faces and self.second is not None:
            return self.second.look(image)
        faces.sort(key=lambda f: -(f.width * f.height))
        # One detector alone that finds nobody proves nothing.
        return People(self.id, tuple(faces), sees_all=bool(faces))


def mesh_of(found: Mapping[str, Any]) -> Mesh:
    """The mesh in pixels of the picture, depth in the same unit, from points in the picture and in their square."""
    flat = np.asarray(found["landmarks_xy"], np.float64)[:_MESH_POINTS]
    level = np.asarray(found["landmarks_3d"], np.float64)[:_MESH_POINTS]
    turn = _similarity(level[:, :2], flat)
    return Mesh(np.column_stack([flat, level[:, 2] * abs(turn)]), float(found["presence"]), cmath.phase(turn))


def _face(picture: Picture, found: Mapping[str, Any]) -> Face:
    left, right = (_OPEN_SHARE * (1.0 - float(found["blendshapes"][name])) for name in _BLINKS)
    return measured_face(picture, mesh_of(found), float(found["score"]), lambda: (left, right))


def _similarity(start: np.ndarray, end: np.ndarray) -> complex:
    """Scale and turn, as one complex number, that bring points (n, 2) nearest to others."""
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (start - start.mean(axis=0), end - end.mean(axis=0)))
    return complex((a.conj() @ b) / max(1e-12, float((abs(a) ** 2).sum())))
