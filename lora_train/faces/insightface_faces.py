"""insightface, only where the user already has it together with its models.

Its code is free, its model packs are for research that is not commercial; nothing of it is fetched.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .types import Face, People

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
PACKS = ("buffalo_l", "antelopev2", "buffalo_m", "buffalo_s")


@dataclass(frozen=True)
class InsightFaceAnalyzer:
    """Boxes, head pose and identity (512 numbers; distances are not comparable with dlib's)."""

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
        faces = []
        for found in self._app.get(np.ascontiguousarray(rgb[:, :, ::-1])):
            left, top, right, bottom = (float(v) for v in found.bbox)
            box = tuple(min(1.0, max(0.0, v)) for v in (left / width, top / height, right / width, bottom / height))
            pitch, yaw, roll = (float(v) for v in found.pose) if found.get("pose") is not None else (None,) * 3
            eyes = tuple((float(x / width), float(y / height)) for x, y in found.kps[:2])
            # insightface counts pitch and yaw the other way round.
            faces.append(
                Face(
                    box=box,  # type: ignore[arg-type]
                    confidence=float(found.det_score),
                    yaw_deg=yaw,
                    pitch_deg=None if pitch is None else -pitch,
                    roll_deg=roll,
                    eyes=eyes,  # type: ignore[arg-type]
                )
            )
        return People(self.id, tuple(sorted(faces, key=lambda f: -(f.width * f.height))))

    @cached_property
    def _app(self) -> Any:
        from insightface.app import FaceAnalysis  # type: ignore[import-not-found]

        app = FaceAnalysis(name=self.pack, root=str(self.root), providers=["CPUExecutionProvider"])
        app.prepare(ctx_id=-1)
        return app


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
