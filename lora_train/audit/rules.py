"""Which score on which side of which limit is which finding: one table, one row each.

A row looks at one number of one photo (:attr:`.evidence.Evidence.scores`). A number that was not
measured finds nothing, and when no photo of the set has it the whole row is reported as not judged.
Several rows may share a code: the first one that applies speaks, so the stricter one stands first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..dataset.manifest import GroupKind, Reason, Severity
from ..say import say
from .checks import CHECK_OF_SCORE
from .limits import UNITS, Limits

Side = Literal["at least", "at most"]
Need = Literal["pixels", "faces", "body", "identity", "words", "lens"]
"""What measures the score: the pixels alone, a face analyzer, its person mask, its identity
embedding, a zero-shot model, or the lens data in the file beside a face."""


IN_WORDS = "audit.in_words"
"""What all answers of a zero-shot model say; it names the code."""


@dataclass(frozen=True)
class Rule:
    """The score has to be ``side`` the limit."""

    code: str
    score: str
    limit: str
    side: Side
    says: str
    """Key of the finding in words; its values are ``value`` and ``limit``."""
    severity: Severity = "reject"
    needs: Need = "pixels"
    unless: tuple[str, ...] = ()
    """Codes that explain this one: where one of them was found, this is not said as well."""
    also: tuple[str, str, Side] | None = None
    """A second score, its limit and side; both have to be wrong."""
    without: str = ""
    """A better score of the same thing: where it was measured, this row is silent."""

    @property
    def check(self) -> str:
        """The name in :data:`.checks.CHECKS` that it belongs to."""
        return "words" if self.needs == "words" else CHECK_OF_SCORE.get(self.score, "faces")

    def reason(self, value: float, limits: Limits) -> Reason:
        """The finding in words for a ``value`` on the wrong side."""
        limit = float(getattr(limits, self.limit))
        named = {"what": say(f"audit.seen_{self.code}")} if self.says == IN_WORDS else {}
        text = say(self.says, value=value, limit=limit, **named)
        return Reason(self.code, value, limit, text, self.severity, UNITS.get(self.limit, ""))


_PIXELS: tuple[Rule, ...] = (
    Rule("too_small", "side_px", "min_side_px", "at least", "audit.too_small"),
    Rule("blurry", "face_blur_px", "max_face_blur_px", "at most", "audit.blurry_face",
         needs="faces", unless=("too_small", "face_too_small")),
    Rule("blurry", "blur_px", "max_blur_px", "at most", "audit.blurry"),
    Rule("too_dark", "light", "min_light", "at least", "audit.too_dark"),
    Rule("too_bright", "burnt_share", "max_burnt_share", "at most", "audit.burnt"),
    Rule("too_bright", "shadow_light", "max_shadow_light", "at most", "audit.washed_out"),
    Rule("noisy", "noise", "max_noise_reject", "at most", "audit.noisy_reject"),
    Rule("noisy", "noise", "max_noise", "at most", "audit.noisy", "warn"),
    Rule("low_contrast", "contrast", "min_contrast_reject", "at least", "audit.low_contrast_reject",
         unless=("too_dark", "too_bright", "blurry")),
    Rule("low_contrast", "contrast", "min_contrast", "at least", "audit.low_contrast", "warn",
         unless=("too_dark", "too_bright")),
    Rule("jpeg_blocks", "jpeg_blocks", "max_jpeg_blocks", "at most", "audit.jpeg_blocks", "warn"),
    Rule("tilted", "tilt_deg", "max_tilt_deg", "at most", "audit.tilted", "warn"),
    Rule("text_or_watermark", "text_share", "max_text_share", "at most", "audit.text_share", "warn"),
    Rule("heavy_filter", "chroma", "max_chroma", "at most", "audit.strong_colours", "warn"),
    Rule("heavy_filter", "chroma", "min_chroma", "at least", "audit.no_colours", "warn", unless=("too_dark",)),
    Rule("heavy_filter", "hue_spread", "min_hue_spread", "at least", "audit.one_hue", "warn"),
    Rule("busy_background", "border_edges", "max_border_edges", "at most", "audit.busy_border", "warn",
         also=("border_colours", "max_border_colours", "at most"), without="background_edges"),
)  # fmt: skip

_FACES: tuple[Rule, ...] = (
    Rule("face_missing", "faces", "min_faces", "at least", "audit.face_missing", needs="faces",
         also=("face_faint", "max_faint_face", "at least")),
    Rule("face_missing", "face_faint", "max_faint_face", "at most", "audit.face_faint", "warn", needs="faces"),
    Rule("many_people", "faces", "max_faces", "at most", "audit.many_people", needs="faces"),
    Rule("not_the_subject", "subject_distance", "max_subject_distance", "at most", "audit.another_person",
         needs="identity"),
    Rule("not_the_subject", "subject_distance", "sure_subject_distance", "at most", "audit.perhaps_another_person",
         "warn", needs="identity"),
    Rule("face_too_small", "face_px", "min_face_px", "at least", "audit.face_too_small", needs="faces"),
    Rule("face_too_small", "face_px", "good_face_px", "at least", "audit.face_small", "warn", needs="faces"),
    Rule("person_too_small", "face_share", "min_face_share", "at least", "audit.person_small_by_face", "warn",
         needs="faces", unless=("face_too_small",)),
    Rule("person_too_small", "person_height", "min_person_height", "at least", "audit.person_small", "warn",
         needs="body", unless=("face_too_small",)),
    Rule("eyes_closed", "eyes_open", "min_eyes_open", "at least", "audit.eyes_closed", needs="faces"),
    Rule("eyes_closed", "eyes_open", "good_eyes_open", "at least", "audit.eyes_perhaps_closed",
         "warn", needs="faces"),
    Rule("face_covered", "covered", "max_covered", "at most", "audit.face_covered", needs="faces"),
    Rule("face_in_shadow", "shadow_stops", "max_shadow_stops_reject", "at most", "audit.shadow_reject",
         needs="faces"),
    Rule("face_in_shadow", "shadow_stops", "max_shadow_stops", "at most", "audit.shadow", "warn", needs="faces"),
    Rule("face_in_shadow", "face_clipped", "max_face_clipped", "at most", "audit.harsh_light", "warn", needs="faces"),
    Rule("face_in_shadow", "face_light", "min_face_light", "at least", "audit.face_dark", "warn", needs="faces",
         unless=("too_dark",)),
    Rule("face_turned", "yaw_abs_deg", "max_yaw_deg", "at most", "audit.face_turned", "quota", needs="faces"),
    Rule("shot_from_above", "pitch_deg", "max_pitch_deg", "at most", "audit.shot_from_above", "quota", needs="faces"),
    Rule("shot_from_below", "chin_up_deg", "max_chin_up_deg", "at most", "audit.shot_from_below", "quota",
         needs="faces"),
    Rule("wide_angle", "distance_m", "min_distance_m_reject", "at least", "audit.camera_too_near", needs="lens"),
    Rule("wide_angle", "distance_m", "min_distance_m", "at least", "audit.camera_near", "warn", needs="lens"),
    Rule("wide_angle", "nose_over_median", "max_nose_over_median", "at most", "audit.wide_nose", "warn",
         needs="faces"),
    Rule("busy_background", "background_edges", "max_background_edges", "at most", "audit.busy_background", "warn",
         needs="body",
         also=("background_colours", "max_background_colours", "at most")),
)  # fmt: skip


def _tag(code: str, severity: Severity) -> Rule:
    return Rule(code, f"p_{code}", "tag_yes", "at most", IN_WORDS, severity, needs="words")


_WORDS: tuple[Rule, ...] = (
    _tag("mirror_selfie", "quota"),
    _tag("studio_backdrop", "quota"),
    _tag("drinking_or_holding", "quota"),
    _tag("heavy_makeup", "quota"),
    _tag("hand_in_hair", "quota"),
    _tag("odd_pose", "warn"),
    _tag("text_or_watermark", "warn"),
    _tag("heavy_filter", "warn"),
    _tag("busy_background", "warn"),
    _tag("face_covered", "warn"),
    _tag("many_people", "warn"),
    _tag("person_too_small", "warn"),
)
"""A zero-shot answer alone never rejects a photo."""

RULES: tuple[Rule, ...] = (*_PIXELS, *_FACES, *_WORDS)
PERSON_NEEDS: frozenset[Need] = frozenset({"faces", "body", "identity", "lens"})
"""What has no meaning for a style or an object."""
CODES: tuple[str, ...] = tuple(
    dict.fromkeys(("unreadable", *(r.code for r in RULES), "duplicate", *get_args(GroupKind)))
)
"""Every code of the audit; :func:`..dataset.manifest.title_of` has them in words."""
