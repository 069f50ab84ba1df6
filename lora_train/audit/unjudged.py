"""Which checks can be made on a set at all, and what to say about those that cannot.

Something nobody measured is never shown as good: every code that no photo has a number for is listed
with the reason and the next step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..dataset.manifest import NotJudged, title_of
from ..say import say
from .checks import ALL, Asked
from .evidence import EvidenceSet
from .limits import Limits
from .rules import PERSON_NEEDS, RULES, Need, Rule

_COMPARED = {
    "duplicates": ("duplicate",),
    "background": ("same_background", "same_clothes_and_background", "studio_series"),
    "faces": ("same_pose",),
}
"""Check -> codes that only a comparison of photos finds."""


@dataclass(frozen=True)
class Scope:
    """``left_out``: needs that have no meaning for this set; ``not_judged``: what to tell about it."""

    left_out: frozenset[Need]
    not_judged: tuple[NotJudged, ...]
    asked: Asked = ALL
    faceless: bool = False
    """Somebody looked for faces, and most photos have none: drawn, or not of a person."""

    def judges(self, rule: Rule) -> bool:
        return rule.needs not in self.left_out and rule.check in self.asked


def scope_of(found: EvidenceSet, limits: Limits, purpose: str) -> Scope:
    """What can be judged on a set, and what cannot and why."""
    asked = found.asked
    if purpose != "character":
        rows = _rows(PERSON_NEEDS, say(f"audit.why_{purpose}"))
        return Scope(PERSON_NEEDS, (*rows, *_unmeasured(found, PERSON_NEEDS)), asked)
    faces = found.column("faces")
    looked = np.isfinite(faces)
    if looked.any() and float((faces[looked] > 0).mean()) < limits.face_set_share:
        why = say("audit.why_faceless", count=int((faces > 0).sum()), of=int(looked.sum()))
        rows = _rows(PERSON_NEEDS, why)
        return Scope(PERSON_NEEDS, (*rows, *_unmeasured(found, PERSON_NEEDS)), asked, faceless=True)
    return Scope(frozenset(), _unmeasured(found, frozenset()), asked)


def _rows(needs: frozenset[Need], why: str) -> tuple[NotJudged, ...]:
    """One row for each code that only those ``needs`` can find."""
    others = {r.code for r in RULES if r.needs not in needs}
    codes = dict.fromkeys(r.code for r in RULES if r.needs in needs and r.code not in others)
    return tuple(_row(code, why) for code in codes)


def _unmeasured(found: EvidenceSet, left_out: frozenset[Need]) -> tuple[NotJudged, ...]:
    """Codes of which no photo of the set has any number."""
    measured = {r.code for r in RULES if r.score in found.table and r.check in found.asked}
    rules = [r for r in RULES if r.code not in measured and r.needs not in left_out]
    # The last rule of a code names its plainest way; one that was asked for has more to say.
    last = {r.code: r for r in sorted(reversed(rules), key=lambda r: r.check in found.asked)}.values()
    rows = tuple(_row(r.code, _why(found, r)) for r in last)[::-1]
    return (*rows, *_uncompared(found.asked))


def _uncompared(asked: Asked) -> tuple[NotJudged, ...]:
    """What comparing the photos would have found, had it been asked for."""
    codes = [code for check, codes in _COMPARED.items() if check not in asked for code in codes]
    return tuple(_row(code, say("audit.why_not_asked")) for code in dict.fromkeys(codes))


def _why(found: EvidenceSet, rule: Rule) -> str:
    """Why nobody measured it; where embeddings are there, why they name nobody."""
    if rule.check not in found.asked:
        return say("audit.why_not_asked")
    subject = found.subject if rule.needs == "identity" else None
    if subject is None or not any(f.identity for e in found.items if e.people for f in e.people.faces):
        return say(f"audit.why_{rule.needs}")
    return subject.text


def _row(code: str, why: str) -> NotJudged:
    title = title_of(code)
    return NotJudged(code, title, say("audit.not_judged", title=title, why=why), why)


def waits_for(found: EvidenceSet) -> tuple[str, ...]:
    """What lets more be judged, as next steps; empty when everything was looked at."""
    steps = []
    if not np.isfinite(found.column("faces")).any():
        steps.append(say("audit.get_faces"))
    if not any(name.startswith("p_") for name in found.table):
        steps.append(say("audit.choose_clip"))
    return tuple(steps)
