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
    max_noise: float
    max_noise_reject: float
    min_contrast: float
    min_contrast_reject: float
    max_jpeg_blocks: float
    max_tilt_deg: float
    max_text_share: float
    max_chroma: float
    min_chroma: float
    min_hue_spread: float
    max_border_edges: float
    max_border_colours: float
    max_background_edges: float
    max_background_colours: float
    min_faces: int
    max_faint_face: float
    max_faces: int
    face_set_share: float
    max_subject_distance: float
    sure_subject_distance: float
    min_face_px: int
    good_face_px: int
    min_face_share: float
    min_person_height: float
    min_eyes_open: float
    good_eyes_open: float
    max_covered: float
    max_shadow_stops: float
    max_shadow_stops_reject: float
    max_face_clipped: float
    min_face_light: float
    max_face_blur_px: float
    max_yaw_deg: float
    frontal_yaw_deg: float
    frontal_pitch_deg: float
    max_pitch_deg: float
    max_chin_up_deg: float
    min_distance_m: float
    min_distance_m_reject: float
    max_nose_over_median: float
    tag_yes: float
    smile_from: float
    portrait_face_share: float
    half_face_share: float
    group_colours: float
    pose_deg: float
    pose_shift: float
    smile_high: float
    smile_low: float
    frontal_low: float
    portrait_low: float
    half_low: float
    full_low: float
    place_high: float
    mirror_high: float
    studio_high: float
    held_high: float
    makeup_high: float
    hands_high: float
    turned_high: float
    variety_low: float
    same_high: float
    best_high_photos: int
    near_high: float
    place_low: float
    pose_variety_low: float
    expressions_low: float
    light_high: float
    dim_light: float
    bright_light: float

    def __post_init__(self) -> None:
        BadInputError.collect(_problems(self))

    @classmethod
    def for_resolution(cls, resolution_px: int) -> Limits:
        """The defaults for training at ``resolution_px``: three quarters of it, at least 128 px, per side."""
        return dataclasses.replace(DEFAULT_LIMITS, min_side_px=max(128, resolution_px * 3 // 4))

    def for_purpose(self, purpose: str) -> Limits:
        """The same limits with the number of photos that a style needs, where ``purpose`` is "style"."""
        if purpose != "style" or (self.best_photos, self.best_high_photos) != (20, 30):
            return self
        return dataclasses.replace(self, best_photos=30, best_high_photos=40)

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
    found += [
        f"{n} is {v:g}, it goes from 0 to 1"
        for n, unit in UNITS.items()
        if unit.startswith(_SHARES) and (v := getattr(limits, n)) > 1
    ]
    found += [
        f"{n} is {v}, there are 64 bits" for n in ("duplicate_bits", "burst_bits") if (v := getattr(limits, n)) > 64
    ]
    found += [
        f"{low} is {a:g}, it cannot be above {high} ({b:g})"
        for low, high in (("min_photos", "good_photos"), ("good_photos", "best_photos"),
                          ("best_photos", "best_high_photos"), ("best_high_photos", "max_photos"))
        if (a := getattr(limits, low)) > (b := getattr(limits, high))
    ]  # fmt: skip
    return found


_SHARES = (
    "share of the", "distinct kinds", "mean linear", "linear luminance", "correlation", "Hellinger",
    "calibrated prob", "how sure", "smile score",
)  # fmt: skip
"""How the units of numbers from 0 to 1 begin."""

UNITS: dict[str, str] = {k: v["unit"] for k, v in presets.read("limits").items() if isinstance(v, dict)}
"""The unit of every limit, in words."""

DEFAULT_LIMITS = decode(Limits, _values(FORMAT.fields(presets.read("limits"))), "presets/limits.json")
