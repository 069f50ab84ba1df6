"""dlib: a face detector without any file, and a 128-number identity from two files of public domain.

The 68-point predictor is not used: its training data excludes commercial use. Embeddings are aligned
by 5 points (eye corners and the base of the nose), taken from the MediaPipe mesh where it is there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInputError
from ..say import say
from .raster import Picture
from .types import Face, People

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 2
IDENTITY_FILE, POINTS_FILE = "dlib_face_recognition_resnet_model_v1.dat", "shape_predictor_5_face_landmarks.dat"
_DETECT_PX = 960
_CHIP_PX, _CHIP_PAD = 150, 0.25
# dlib's mean places of the 5 points in a chip of side 1 without padding (get_face_chip_details).
_TEMPLATE = np.array([[0.8595674595992, 0.2134981538014], [0.6460604764104, 0.2289674387677],
                      [0.1205750620789, 0.2137274526848], [0.3340850613712, 0.2290642403242],
                      [0.4901123135679, 0.6277975316475]])  # fmt: skip
_LOCK = threading.Lock()
"""dlib's networks keep their last activations: one thread at a time."""


@dataclass(frozen=True)
class Identifier:
    """The embedding of a face: Euclidean distance up to 0.50 the same person, from 0.60 another one."""

    weights: Path
    id: str = f"dlib-id-{VERSION}"

    def embed(self, picture: Picture, corners: np.ndarray) -> tuple[float, ...]:
        """128 numbers of the face whose outer and inner eye corners (right of the image first) and nose
        base are ``corners`` (5, 2) in pixels. The mirrored face is 0.14 to 0.4 away.
        """
        chip = np.ascontiguousarray(chip_of(picture, corners))
        with _LOCK:
            row = self._net.compute_face_descriptor(chip)
        return tuple(round(float(v), 5) for v in row)

    @cached_property
    def _net(self) -> Any:
        import dlib

        return _load(dlib.face_recognition_model_v1, self.weights)


@dataclass(frozen=True)
class DlibAnalyzer:
    """Where faces are and, with its files, whose: no eyes, no pose, no light."""

    points: Path | None = None
    identifier: Identifier | None = None
    title: str = "dlib faces (no eyes, pose or light)"

    @property
    def id(self) -> str:
        return "+".join([f"dlib-{VERSION}", *(["id"] if self._identifies else [])])

    @property
    def measures(self) -> frozenset[str]:
        return frozenset({"box", "confidence", *(["eyes", "identity"] if self._identifies else [])})

    def look(self, image: Image) -> People:
        """Faces of one upright picture, found at up to 960 px."""
        picture = Picture(image)
        scale = min(1.0, _DETECT_PX / max(picture.width, picture.height))
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        small = np.asarray(picture.image.resize(size, reducing_gap=2.0))
        with _LOCK:
            boxes, scores, _ = self._detector.run(small, 0, 0.0)
        faces = [self._face(picture, small, b, float(s)) for b, s in zip(boxes, scores, strict=True)]
        return People(self.id, tuple(sorted(faces, key=lambda f: -(f.width * f.height))), sees_all=False)

    @property
    def _identifies(self) -> bool:
        return self.points is not None and self.identifier is not None

    def _face(self, picture: Picture, small: np.ndarray, found: Any, score: float) -> Face:
        height, width = small.shape[:2]
        # dlib's box ends at the brows; the hull from chin to hairline is a quarter taller.
        top = found.top() - 0.25 * found.height()
        box = (found.left() / width, top / height, found.right() / width, found.bottom() / height)
        clean = tuple(float(min(1.0, max(0.0, v))) for v in box)
        confidence = float(1 / (1 + np.exp(-4 * (score - 0.3))))
        face = Face(clean, confidence)  # type: ignore[arg-type]
        if not self._identifies:
            return face
        shape = self._predictor(small, found)
        corners = np.array([[shape.part(i).x, shape.part(i).y] for i in range(5)], float)
        right, left = corners[[0, 1]].mean(axis=0), corners[[2, 3]].mean(axis=0)
        eyes = ((left[0] / width, left[1] / height), (right[0] / width, right[1] / height))
        scaled = corners * [picture.width / width, picture.height / height]
        identity = self.identifier.embed(picture, scaled)  # type: ignore[union-attr]
        return Face(clean, confidence, eyes=eyes, identity=identity)  # type: ignore[arg-type]

    @cached_property
    def _detector(self) -> Any:
        import dlib

        return dlib.get_frontal_face_detector()

    @cached_property
    def _predictor(self) -> Any:
        import dlib

        return _load(dlib.shape_predictor, self.points)


def chip_of(picture: Picture, corners: np.ndarray) -> np.ndarray:
    """(150, 150, 3) uint8: the face turned and scaled so that ``corners`` fit dlib's template best."""
    target = (_TEMPLATE + _CHIP_PAD) / (1 + 2 * _CHIP_PAD) * _CHIP_PX
    a, b, tx, ty = _similarity(target, corners)
    scale, angle = float(np.hypot(a, b)), float(np.arctan2(b, a))
    half = _CHIP_PX / 2
    from .raster import Square

    middle = Square(a * half - b * half + tx, b * half + a * half + ty, scale * _CHIP_PX, angle)
    return picture.cut(middle, _CHIP_PX)


def _similarity(start: np.ndarray, end: np.ndarray) -> tuple[float, float, float, float]:
    """Least-squares (a, b, tx, ty) with end = [[a, -b], [b, a]] start + t, for points (n, 2)."""
    ms, me = start.mean(axis=0), end.mean(axis=0)
    s, e = start - ms, end - me
    power = float((s**2).sum())
    a = float((s * e).sum()) / power
    b = float((s[:, 0] * e[:, 1] - s[:, 1] * e[:, 0]).sum()) / power
    return a, b, float(me[0] - a * ms[0] + b * ms[1]), float(me[1] - b * ms[0] - a * ms[1])


def _load(maker: Any, path: Path | None) -> Any:
    try:
        return maker(str(path))
    except RuntimeError as error:
        name = path.name if path else "the file"
        raise BadInputError(say("faces.dlib_cannot_read", name=name, why=error)) from error


def dlib_missing() -> str:
    """Why dlib cannot be used here, with the next step; empty when it can."""
    from importlib.util import find_spec

    if find_spec("dlib") is None:
        return say("faces.no_dlib")
    return ""
