"""Where a score becomes a verdict. The numbers and their sources are data: presets/limits.json."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import presets
from ..config import Format, decode, read_json
from ..errors import BadInputError

FORMAT = Format("lorasmith.limits", 1)


@dataclass(frozen=True)
class Limits:
    """All limits of the audit. Units and where each default comes from: presets/limits.json."""

    min_side_px: int
    max_blur_px: float
    min_light: float
    max_burnt_share: float
    max_shadow_light: float
    duplicate_bits: int
    duplicate_likeness: float
    burst_bits: int
    burst_seconds: float
    background_colours: float
    background_layout: float
    background_group: int
    min_photos: int
    good_photos: int
    best_photos: int
    max_photos: int

    def __post_init__(self) -> None:
        BadInputError.collect(_problems(self))

    @classmethod
    def for_resolution(cls, resolution_px: int) -> Limits:
        """The defaults for training at ``resolution_px``: three quarters of it, at least 128 px, per side."""
        return dataclasses.replace(DEFAULT_LIMITS, min_side_px=max(128, resolution_px * 3 // 4))

    def replace(self, **overrides: Any) -> Limits:
        """The same limits with other values.

        Raises:
            BadInputError: lists every unknown name, wrong type and impossible value at once.
        """
        return decode(Limits, {**dataclasses.asdict(self), **overrides}, "limits")


def load_limits(path: Path, base: Limits | None = None) -> Limits:
    """Limits from a JSON file such as ``{"max_blur_px": 3}``; what it does not name stays as in ``base``.

    Raises:
        BadInputError: missing, not JSON, or with unknown or impossible values.
    """
    fields = _values(FORMAT.fields(read_json(path), Path(path).name))
    return decode(Limits, {**dataclasses.asdict(base or DEFAULT_LIMITS), **fields}, Path(path).name)


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    """``{"name": {"value": 3, "unit": ...}}`` and ``{"name": 3}`` alike as ``{"name": 3}``."""
    return {k: v["value"] if isinstance(v, dict) and "value" in v else v for k, v in fields.items()}


def _problems(limits: Limits) -> list[str]:
    found = [
        f"{f.name} is {v:g}, it cannot be negative"
        for f in dataclasses.fields(limits)
        if (v := getattr(limits, f.name)) < 0
    ]
    shares = (
        "min_light",
        "max_burnt_share",
        "max_shadow_light",
        "duplicate_likeness",
        "background_colours",
        "background_layout",
    )
    found += [f"{n} is {v:g}, it goes from 0 to 1" for n in shares if (v := getattr(limits, n)) > 1]
    found += [
        f"{n} is {v}, there are 64 bits"
        for n in ("duplicate_bits", "burst_bits")
        if (v := getattr(limits, n)) > 64
    ]
    return found


DEFAULT_LIMITS = decode(Limits, _values(FORMAT.fields(presets.read("limits"))), "presets/limits.json")
