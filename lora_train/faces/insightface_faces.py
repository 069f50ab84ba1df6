"""insightface, only where the user already has it together with its models.

Its code is free, its model packs are for research that is not commercial; nothing of it is fetched.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .types import Face, People

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 2
PACKS = ("buffalo_l", "antelopev2", "buffalo_m", "buffalo_s")


@dataclass(frozen=True)
class InsightFaceAnalyzer:
    """Boxes and head pose. Its embedding is left aside: the limits of identity are those of another one."""

    root: Path
    pack: str
    title: str = "insightface (no eyes or light)"

    @property
    def id(self) -> str:
        return f"insightface-{VERSION}-{self.pack}"

    @property
    def measures(self) -> frozenset[str]:
        return frozenset({"box", "confidence", "yaw_deg", "pitch_deg", "roll_deg", "eyes"})

    def look(self, image: Image) -> People:
        """Faces of one upright picture."""
        rgb = np.asarray(image.convert("RGB"))
        height, width = rgb.shape[:2]
        found = self._app.get(np.ascontiguousarray(rgb[:, :, ::-1]))
        faces = sorted((face_of(one, width, height) for one in found), key=lambda f: -(f.width * f.height))
        return People(self.id, tuple(faces))

    @cached_property
    def _app(self) -> Any:
        from insightface.app import FaceAnalysis  # type: ignore[import-not-found]

        app = FaceAnalysis(name=self.pack, root=str(self.root), providers=["CPUExecutionProvider"])
        app.prepare(ctx_id=-1)
        return app


def face_of(found: Any, width: int, height: int) -> Face:
    """A face as insightface reports it on a picture of this size, in shares and with this project's signs.

    Its pose is (pitch, yaw, roll) in degrees: positive is chin up, turned to the right of the image, and the eye
    on the right of the image lower. Read off its own mean face, turned by known angles.
    """
    left, top, right, bottom = (float(v) for v in found.bbox)
    box = tuple(min(1.0, max(0.0, v)) for v in (left / width, top / height, right / width, bottom / height))
    eyes = tuple((float(x / width), float(y / height)) for x, y in found.kps[:2])
    face = Face(box=box, confidence=float(found.det_score), eyes=eyes)  # type: ignore[arg-type]
    if found.get("pose") is None:
        return face
    pitch, yaw, roll = (float(v) for v in found.pose)
    return replace(face, yaw_deg=-yaw, pitch_deg=-pitch, roll_deg=roll)


def installed(extra: Path | None = None) -> tuple[Path, str] | None:
    """(root, pack) of a model pack on disk, or None; the package itself is only looked for, not imported."""
    if find_spec("insightface") is None or find_spec("onnxruntime") is None:
        return None
    given = os.environ.get("INSIGHTFACE_HOME")
    roots = [Path(given)] if given else []
    roots += [extra / "insightface"] if extra else []
    roots.append(Path.home() / ".insightface")
    for root in roots:
        for pack in PACKS:
            if any((root / "models" / pack).glob("*.onnx")):
                return root, pack
    return None
