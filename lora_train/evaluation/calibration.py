"""What a cosine means depends on the model that made it: the numbers for each, as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Calibration:
    """How to read the image-to-image cosines of one embedder."""

    unrelated_cosine: float
    """Mean cosine of photos of different people in different places."""
    copy_cosine: float
    """At least this cosine to a training photo: the same picture again."""


@cache
def _table() -> dict[str, dict[str, float]]:
    return json.loads(Path(__file__).with_name("calibration.json").read_text("utf-8"))


def calibration_of(embedder_name: str) -> Calibration:
    """The numbers for ``embedder_name`` (an open_clip config name), or the default ones."""
    table = _table()
    return Calibration(**table.get(embedder_name, table["default"]))
