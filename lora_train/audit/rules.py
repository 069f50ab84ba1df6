"""Which score on which side of which limit is which finding: one table, one row each.

A row looks at one number of one photo (:attr:`.evidence.Evidence.scores`). A number that was not
measured finds nothing, and when no photo of the set has it the whole row is reported as not judged.
Several rows may share a code: the first one that applies speaks, so the stricter one stands first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..dataset.manifest import Reason, Severity
from .checks import CHECK_OF_SCORE
from .limits import UNITS, Limits

Side = Literal["at least", "at most"]
Need = Literal["pixels", "faces", "body", "identity", "words", "lens"]
"""What measures the score: the pixels alone, a face analyzer, its person mask, its identity
embedding, a zero-shot model, or the lens data in the file beside a face."""


@dataclass(frozen=True)
class Rule:
    """The score has to be ``side`` the limit. ``text`` gets {value} and {limit}."""

    code: str
    score: str
    limit: str
    side: Side
    text: str
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
        text = self.text.format(value=value, limit=limit)
        return Reason(self.code, value, limit, text, self.severity, UNITS.get(self.limit, ""))


TITLES: dict[str, str] = {
    "unreadable": "cannot be read", "too_small": "too small", "blurry": "blurry", "noisy": "noisy",
    "jpeg_blocks": "JPEG blocks", "too_dark": "too dark", "too_bright": "too bright",
    "low_contrast": "low contrast", "tilted": "tilted camera", "duplicate": "duplicate",
    "face_missing": "no face", "face_too_small": "face too small", "eyes_closed": "eyes closed",
    "face_in_shadow": "face in shadow", "face_turned": "face turned away",
    "shot_from_above": "shot from above", "shot_from_below": "shot from below",
    "face_covered": "face covered", "many_people": "several people", "person_too_small": "person too small",
    "wide_angle": "camera too near", "busy_background": "busy background", "mirror_selfie": "mirror selfie",
    "studio_backdrop": "studio backdrop", "hand_in_hair": "hand in the hair",
    "drinking_or_holding": "drinking or holding something", "odd_pose": "odd pose",
    "text_or_watermark": "text or watermark", "heavy_filter": "heavy filter", "heavy_makeup": "heavy make-up",
    "not_the_subject": "another person", "same_background": "same place",
    "same_clothes_and_background": "same clothes and place", "same_pose": "same pose",
    "studio_series": "studio series",
}  # fmt: skip
"""Every code of the audit in words."""

_PIXELS: tuple[Rule, ...] = (
    Rule("too_small", "side_px", "min_side_px", "at least",
         "Too small: the shorter side has {value:.0f} px, {limit:.0f} are needed. Use the original file."),
    Rule("blurry", "face_blur_px", "max_face_blur_px", "at most",
         "Blurry: the face is {value:.1f} px soft at a height of 256 px, {limit:.1f} are allowed.",
         needs="faces", unless=("too_small", "face_too_small")),
    Rule("blurry", "blur_px", "max_blur_px", "at most",
         "Blurry: its sharpest edges are {value:.1f} px soft, {limit:.1f} are allowed."),
    Rule("too_dark", "light", "min_light", "at least",
         "Too dark: the brightest tenth of the middle reaches {value:.1%} light, {limit:.1%} are needed."),
    Rule("too_bright", "burnt_share", "max_burnt_share", "at most",
         "Too bright: {value:.0%} of the subject is burnt out to white, at most {limit:.0%} are allowed."),
    Rule("too_bright", "shadow_light", "max_shadow_light", "at most",
         "Too bright: washed out, its darkest parts have {value:.0%} light, {limit:.0%} are allowed."),
    Rule("noisy", "noise", "max_noise_reject", "at most",
         "Noisy: the grain is {value:.1f} grey levels strong, {limit:.1f} are too much to learn from."),
    Rule("noisy", "noise", "max_noise", "at most",
         "Noisy: the grain is {value:.1f} grey levels strong, fine up to {limit:.1f}.", "warn"),
    Rule("low_contrast", "contrast", "min_contrast_reject", "at least",
         "Low contrast: dark and bright are {value:.0f} grey levels apart, {limit:.0f} are needed.",
         unless=("too_dark", "too_bright", "blurry")),
    Rule("low_contrast", "contrast", "min_contrast", "at least",
         "Low contrast: dark and bright are {value:.0f} grey levels apart, {limit:.0f} are usual.", "warn",
         unless=("too_dark", "too_bright")),
    Rule("jpeg_blocks", "jpeg_blocks", "max_jpeg_blocks", "at most",
         "JPEG blocks: the 8 px grid stands out by {value:.1f} grey levels, fine up to {limit:.1f}. "
         "Use the original file.", "warn"),
    Rule("tilted", "tilt_deg", "max_tilt_deg", "at most",
         "Tilted: upright and level lines lean by {value:.0f} degrees, fine up to {limit:.0f}.", "warn"),
    Rule("text_or_watermark", "text_share", "max_text_share", "at most",
         "Text: {value:.1%} of the picture looks like letters, fine up to {limit:.1%}. Crop it away.", "warn"),
    Rule("heavy_filter", "chroma", "max_chroma", "at most",
         "Heavy filter: colours are {value:.0f} strong (CIE Lab chroma), usual up to {limit:.0f}.", "warn"),
    Rule("heavy_filter", "chroma", "min_chroma", "at least",
         "Black and white: colours are {value:.1f} strong (CIE Lab chroma), usual from {limit:.0f}.", "warn",
         unless=("too_dark",)),
    Rule("heavy_filter", "hue_spread", "min_hue_spread", "at least",
         "Heavy filter: all colours are one hue, {value:.1f} apart; usual from {limit:.1f} (CIE Lab).", "warn"),
    Rule("busy_background", "border_edges", "max_border_edges", "at most",
         "Busy background: {value:.0%} of the border are edges, calm up to {limit:.0%}.", "warn",
         also=("border_colours", "max_border_colours", "at most"), without="background_edges"),
)  # fmt: skip

_FACES: tuple[Rule, ...] = (
    Rule("face_missing", "faces", "min_faces", "at least",
         "No face found; the LoRA learns a person from faces.", needs="faces",
         also=("face_faint", "max_faint_face", "at least")),
    Rule("face_missing", "face_faint", "max_faint_face", "at most",
         "Perhaps no face: only one detector looked, and was {value:.0%} sure of something that it did not count "
         "as one, too much from {limit:.0%}. Look yourself.", "warn", needs="faces"),
    Rule("many_people", "faces", "max_faces", "at most",
         "Several people: {value:.0f} faces, {limit:.0f} is allowed. Crop the others away.", needs="faces"),
    Rule("not_the_subject", "subject_distance", "max_subject_distance", "at most",
         "Another person: {value:.2f} away from the person of most photos, the same up to {limit:.2f}.",
         needs="identity"),
    Rule("not_the_subject", "subject_distance", "sure_subject_distance", "at most",
         "Perhaps another person: {value:.2f} away from the person of most photos, surely the same up to "
         "{limit:.2f}.", "warn", needs="identity"),
    Rule("face_too_small", "face_px", "min_face_px", "at least",
         "Face too small: {value:.0f} px high, {limit:.0f} are needed.", needs="faces"),
    Rule("face_too_small", "face_px", "good_face_px", "at least",
         "Small face: {value:.0f} px high, {limit:.0f} or more are better.", "warn", needs="faces"),
    Rule("person_too_small", "face_share", "min_face_share", "at least",
         "Person too small: the face takes {value:.1%} of the height, {limit:.0%} are needed unless it is "
         "cropped.", "warn", needs="faces", unless=("face_too_small",)),
    Rule("person_too_small", "person_height", "min_person_height", "at least",
         "Person too small: {value:.0%} of the height, {limit:.0%} are needed unless it is cropped.", "warn",
         needs="body", unless=("face_too_small",)),
    Rule("eyes_closed", "eyes_open", "min_eyes_open", "at least",
         "Eyes closed: the lids are {value:.2f} of an eye's width apart, open from {limit:.2f}.", needs="faces"),
    Rule("eyes_closed", "eyes_open", "good_eyes_open", "at least",
         "Eyes perhaps closed: the lids are {value:.2f} of an eye's width apart, surely open from {limit:.2f}.",
         "warn", needs="faces"),
    Rule("face_covered", "covered", "max_covered", "at most",
         "Face covered: {value:.0%} sure that a mask, a hand or sunglasses hide it, fine up to {limit:.0%}.",
         needs="faces"),
    Rule("face_in_shadow", "shadow_stops", "max_shadow_stops_reject", "at most",
         "Face in shadow: one side is {value:.1f} stops darker (or make-up, or hair), at most {limit:.1f}.",
         needs="faces"),
    Rule("face_in_shadow", "shadow_stops", "max_shadow_stops", "at most",
         "Half of the face is in shadow: {value:.1f} stops darker (or make-up, or hair), even up to {limit:.1f}.",
         "warn", needs="faces"),
    Rule("face_in_shadow", "face_clipped", "max_face_clipped", "at most",
         "Harsh light: {value:.0%} of the face is burnt out, fine up to {limit:.0%}.", "warn", needs="faces"),
    Rule("face_in_shadow", "face_light", "min_face_light", "at least",
         "Face in shadow: it has {value:.1%} light, {limit:.1%} are needed.", "warn", needs="faces",
         unless=("too_dark",)),
    Rule("face_turned", "yaw_abs_deg", "max_yaw_deg", "at most",
         "Face turned away by {value:.0f} degrees; a few are fine, up to {limit:.0f} shows the whole face.",
         "quota", needs="faces"),
    Rule("shot_from_above", "pitch_deg", "max_pitch_deg", "at most",
         "Head down or camera high: {value:.0f} degrees, level up to {limit:.0f}.", "quota", needs="faces"),
    Rule("shot_from_below", "chin_up_deg", "max_chin_up_deg", "at most",
         "Chin up or camera low: {value:.0f} degrees, level up to {limit:.0f}.", "quota", needs="faces"),
    Rule("wide_angle", "distance_m", "min_distance_m_reject", "at least",
         "Camera too near: {value:.2f} m from the face, which widens the nose; {limit:.2f} m are needed.",
         needs="lens"),
    Rule("wide_angle", "distance_m", "min_distance_m", "at least",
         "Camera near: {value:.2f} m from the face, proportions are true from {limit:.2f} m.", "warn",
         needs="lens"),
    Rule("wide_angle", "nose_over_median", "max_nose_over_median", "at most",
         "Camera perhaps too near: the nose is {value:.2f} times as wide as in your other photos, usual up to "
         "{limit:.2f}.", "warn", needs="faces"),
    Rule("busy_background", "background_edges", "max_background_edges", "at most",
         "Busy background: {value:.0%} of it are edges, calm up to {limit:.0%}.", "warn", needs="body",
         also=("background_colours", "max_background_colours", "at most")),
)  # fmt: skip


def _tag(code: str, what: str, severity: Severity) -> Rule:
    text = f"{what}: {{value:.0%}} sure; said from {{limit:.0%}}."
    return Rule(code, f"p_{code}", "tag_yes", "at most", text, severity, needs="words")


_WORDS: tuple[Rule, ...] = (
    _tag("mirror_selfie", "Mirror selfie", "quota"),
    _tag("studio_backdrop", "Studio backdrop", "quota"),
    _tag("drinking_or_holding", "Drinking or holding something", "quota"),
    _tag("heavy_makeup", "Heavy make-up", "quota"),
    _tag("hand_in_hair", "Hand in the hair or on the head", "quota"),
    _tag("odd_pose", "Odd pose", "warn"),
    _tag("text_or_watermark", "Text or watermark", "warn"),
    _tag("heavy_filter", "Heavy filter", "warn"),
    _tag("busy_background", "Busy background", "warn"),
    _tag("face_covered", "Face covered by a mask, a hand or sunglasses", "warn"),
    _tag("many_people", "Several people", "warn"),
    _tag("person_too_small", "Person too small", "warn"),
)
"""A zero-shot answer alone never rejects a photo."""

RULES: tuple[Rule, ...] = (*_PIXELS, *_FACES, *_WORDS)
PERSON_NEEDS: frozenset[Need] = frozenset({"faces", "body", "identity", "lens"})
"""What has no meaning for a style or an object."""
