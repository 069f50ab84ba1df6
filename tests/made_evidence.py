"""Evidence made by hand: photos with given scores, faces and answers, each of its own look."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from lora_train.audit import Evidence
from lora_train.audit.measure import Measured
from lora_train.dataset.photo import Photo
from lora_train.faces.types import Face, People

GOOD = {"blur_px": 1.0, "light": 0.5, "burnt_share": 0.0, "shadow_light": 0.05, "contrast": 180.0,
        "noise": 1.0, "chroma": 15.0, "brightness": 0.2}  # fmt: skip
RNG = np.random.default_rng(7)


def photo(name: str, side_px: int = 1024, **fields: object) -> Photo:
    content = hashlib.sha256(name.encode()).hexdigest()
    return Photo(Path("/p") / name, **{"sha256": content, "width_px": side_px, "height_px": side_px,
                                       "format": "JPEG", **fields})  # type: ignore[arg-type]  # fmt: skip


def measured(**changed: float) -> Measured:
    """Of its own random look, but for the scores that are given."""
    words = [int(RNG.integers(0, 2**63)) for _ in range(2)]
    return Measured({**GOOD, **changed}, RNG.bytes(8).hex(), f"{words[0]:016x}", f"{words[1]:016x}",
                    RNG.bytes(768).hex(), RNG.bytes(384).hex())  # fmt: skip


def face(height: float = 0.3, **fields: object) -> Face:
    """In the middle, looking into the camera; ``height`` in shares of the photo."""
    middle = fields.pop("middle", (0.5, 0.4))
    x, y = middle  # type: ignore[misc]
    box = (x - 0.375 * height, y - height / 2, x + 0.375 * height, y + height / 2)
    front = {"yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0, "eyes_open": 0.3, "smile": 0.0}
    return Face(box, 0.9, **{**front, **fields})  # type: ignore[arg-type]


def evidence(name: str, *faces: Face, looked: bool = True, answers: dict[str, float] | None = None,
             clothes: np.ndarray | None = None, **scores: float) -> Evidence:  # fmt: skip
    """One photo; ``looked`` False: nobody looked for faces."""
    people = People("made", faces) if looked else None
    return Evidence(photo(name), measured(**scores), people, answers, clothes)
