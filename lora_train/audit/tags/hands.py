"""Where the hands are, from body points: in the hair, at the mouth, or away from the head."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...faces.types import Body, Face

SEEN = 0.5
"""Visibility from which a point of the body counts."""
_NEAR = 0.75
"""Distance in face heights from which a hand is no longer at a place."""
_YES, _NO = 0.85, 0.15


def hand_answers(face: Face | None, body: Body | None) -> dict[str, float]:
    """``hand_in_hair`` and ``drinking_or_holding`` as 0..1 where both hands were seen; else what is certain.

    A hand at the mouth speaks for drinking, but an empty hand may be there as well, so it is no more
    than likely; hands away from the mouth say nothing about what they hold.
    """
    if face is None or body is None:
        return {}
    hands = [body.parts[n] for n in ("left_index", "right_index", "left_wrist", "right_wrist")
             if n in body.parts and body.parts[n][2] >= SEEN]  # fmt: skip
    left, top, right, bottom = face.box
    height = max(1e-6, bottom - top)
    ratio = (right - left) / height  # of shares: brings x to the scale of y for a face about 0.75 as wide as high
    middle = (left + right) / 2

    def away(hand: tuple[float, float, float], y: float) -> float:
        return math.hypot((hand[0] - middle) / max(1e-6, ratio) * 0.75, hand[1] - y) / height

    crown, mouth = top - 0.1 * height, top + 0.8 * height
    found = {}
    if any(away(h, crown) < _NEAR and h[1] < top + 0.4 * height for h in hands):
        found["hand_in_hair"] = _YES
    elif len(hands) >= 2:
        found["hand_in_hair"] = _NO
    if any(away(h, mouth) < 0.5 * _NEAR for h in hands):
        found["drinking_or_holding"] = 0.7
    return found
