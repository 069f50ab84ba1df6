"""The full analyzer: MediaPipe's networks, decoded here and run by LiteRT. 10 to 40 ms a photo.

What it was measured on, and how well it does, is in tests/data/expected_findings.json and printed by
the test beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .detect import MIN_SCORE, Detector, Found, find_faces, full_range, short_range
from .eyes import open_share
from .measured import IDENTITY_POINTS, measured_face, shares
from .mesh import Mesh, fit_mesh
from .person import background, body_around, segment
from .pose import PoseNets, body_points
from .raster import Picture
from .runtime import Network
from .types import Face, FaceAnalyzer, People

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 3
NAMES = {
    "far": "face_detection_full_range.tflite",
    "near": "face_detection_short_range.tflite",
    "mesh": "face_landmark.tflite",
    "iris": "iris_landmark.tflite",
}
"""Files that it cannot do without."""
EXTRAS = {
    "people": "selfie_segmentation.tflite",
    "pose": "pose_detection.tflite",
    "body": "pose_landmark_full.tflite",
}
"""Files that add the person's outline and the points of the body."""

_PRESENT = 0.0
"""Logit of the mesh from which a candidate is a face."""
_SURE_WITHOUT_MESH = 0.75
"""Score of the detector from which a face counts although no mesh fits: profiles, dark or tiny faces."""
_IDENTIFIED = 6
"""Faces per photo that get an embedding, the largest first: it takes longer than everything else."""


class Identifies(Protocol):
    """Gives a face its embedding; :class:`.dlib_faces.Identifier` does."""

    @property
    def id(self) -> str: ...
    def embed(self, picture: Picture, corners: np.ndarray) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class MediaPipeAnalyzer:
    """Faces with eyes, pose, smile and light; with the optional files also the body and the background.

    ``files`` maps :data:`NAMES` and, where present, :data:`EXTRAS` to paths.
    """

    files: Mapping[str, Path]
    identifier: Identifies | None = None
    second: FaceAnalyzer | None = None
    """Who looks again at a photo on which no face was found."""
    title: str = "MediaPipe faces"

    @property
    def id(self) -> str:
        parts = [name for name in EXTRAS if name in self.files]
        parts += [one.id for one in (self.identifier, self.second) if one]
        return "+".join([f"mediapipe-{VERSION}", *parts])

    @property
    def measures(self) -> frozenset[str]:
        found = {"box", "confidence", "eyes_open", "yaw_deg", "pitch_deg", "roll_deg", "smile", "shadow_stops",
                 "light", "clipped_share", "blur_px", "covered", "nose_ratio", "eyes", "mouth"}  # fmt: skip
        found |= {"body", "background"} if "people" in self.files else set()
        found |= {"body", "parts"} if self._pose else set()
        return frozenset(found | ({"identity"} if self.identifier else set()))

    def look(self, image: Image) -> People:
        """Everything about the people in one upright picture."""
        picture = Picture(image)
        seen, faint = self._faces(picture)
        pairs = sorted(seen, key=lambda p: -_area(p))
        faces = tuple(self._face(picture, found, mesh, i < _IDENTIFIED) for i, (found, mesh) in enumerate(pairs))
        if not faces and self.second is not None:
            faces, faint = tuple(replace(f, measurable=False) for f in self.second.look(image).faces), 0.0
        body = back = None
        if self._people is not None:
            mask = segment(self._people, picture)
            back = background(mask, picture, faces)
        else:
            mask = None
        if faces and (mask is not None or self._pose is not None):
            parts = body_points(self._pose, picture, faces[0]) if self._pose else {}
            body = body_around(mask, faces, parts)
        return People(self.id, faces, body, back, faint=0.0 if faces else faint)

    @cached_property
    def _detectors(self) -> tuple[Detector, Detector]:
        return full_range(Network(self.files["far"])), short_range(Network(self.files["near"]))

    @cached_property
    def _mesh(self) -> Network:
        return Network(self.files["mesh"])

    @cached_property
    def _iris(self) -> Network:
        return Network(self.files["iris"])

    @cached_property
    def _people(self) -> Network | None:
        return Network(self.files["people"]) if "people" in self.files else None

    @cached_property
    def _pose(self) -> PoseNets | None:
        if "pose" not in self.files or "body" not in self.files:
            return None
        return PoseNets(Network(self.files["pose"]), Network(self.files["body"]))

    def _faces(self, picture: Picture) -> tuple[list[tuple[Found, Mesh]], float]:
        """Candidates that are faces, each once, from the first way of looking that finds any; the best other score."""
        unsure: list[tuple[Found, Mesh]] = []
        faint = 0.0
        for candidates in find_faces(picture, *self._detectors):
            faint = max([faint, *(f.score for f in candidates)])
            good = [f for f in candidates if f.score >= MIN_SCORE]
            fitted = [(f, fit_mesh(self._mesh, picture, f.box, f.points[:2])) for f in good]
            real = [(f, m) for f, m in fitted if m.presence > _PRESENT]
            if real:
                return _distinct(real), faint
            unsure = unsure or [(f, m) for f, m in fitted if f.score >= _SURE_WITHOUT_MESH]
        return unsure, faint

    def _face(self, picture: Picture, found: Found, mesh: Mesh, identify: bool) -> Face:
        if mesh.presence <= _PRESENT:
            box = shares(found.box, picture)
            return Face(box, found.score, measurable=False)
        face = measured_face(picture, mesh, found.score, lambda: open_share(self._iris, picture, mesh))
        if self.identifier is not None and identify:
            face = replace(face, identity=self.identifier.embed(picture, mesh.points[IDENTITY_POINTS, :2]))
        return face


def _area(pair: tuple[Found, Mesh]) -> float:
    """Of the box that the face is reported with, in square pixels."""
    found, mesh = pair
    left, top, right, bottom = mesh.box if mesh.presence > _PRESENT else found.box
    return float((right - left) * (bottom - top))


def _distinct(pairs: list[tuple[Found, Mesh]]) -> list[tuple[Found, Mesh]]:
    """Two candidates whose meshes lie on each other are one face: the better mesh stays."""
    kept: list[tuple[Found, Mesh]] = []
    for found, mesh in sorted(pairs, key=lambda p: -p[1].presence):
        middle = mesh.points[:, :2].mean(axis=0)
        if not any(_holds(m.box, middle) for _, m in kept):
            kept.append((found, mesh))
    return kept


def _holds(box: tuple[float, float, float, float], point: np.ndarray) -> bool:
    return bool(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3])
