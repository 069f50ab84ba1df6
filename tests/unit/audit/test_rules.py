"""Every row of the table: fires beyond its limit, is silent at it and where nothing was measured."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from made_evidence import evidence, face, measured, photo

from lora_train.audit import DEFAULT_LIMITS, Evidence, EvidenceSet, judge
from lora_train.audit.judge import _own_reasons
from lora_train.audit.limits import UNITS, Limits
from lora_train.audit.rules import CODES, RULES, Rule
from lora_train.audit.unjudged import Scope
from lora_train.faces.types import People
from lora_train.say import knows

ALL = Scope(frozenset(), ())
_WORDS = """
unreadable too_small blurry noisy too_dark too_bright low_contrast face_missing face_too_small eyes_closed
face_in_shadow face_turned shot_from_above shot_from_below face_covered many_people person_too_small
wide_angle busy_background mirror_selfie studio_backdrop hand_in_hair drinking_or_holding odd_pose
text_or_watermark heavy_filter not_the_subject
"""
ISSUE = set(_WORDS.split())


def reasons(scores: dict[str, float], limits: Limits = DEFAULT_LIMITS) -> dict[str, object]:
    """The findings on a photo that has exactly these scores."""
    item = Evidence(photo("a.jpg"), dataclasses.replace(measured(), scores=scores))
    found = EvidenceSet((item,))
    found.__dict__["scores"] = (scores,)
    return {r.code: r for r in _own_reasons(found, limits, ALL)[0]}


def beyond(rule: Rule, by: float) -> dict[str, float]:
    """Scores that are ``by`` on the wrong side of every limit of the rule."""
    rows = [(rule.score, rule.limit, rule.side), *([rule.also] if rule.also else [])]
    return {s: float(getattr(DEFAULT_LIMITS, limit)) + (by if side == "at most" else -by) for s, limit, side in rows}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.code}-{r.limit}")
def test_a_row_fires_beyond_its_limit_only(rule: Rule) -> None:
    found = reasons(beyond(rule, 1e-3))
    assert rule.code in found
    assert rule.code not in reasons({}), "not measured is no finding"
    # A stricter row of the same code may lie between; this one is silent exactly at its limit.
    assert getattr(reasons(beyond(rule, 0.0)).get(rule.code), "limit", None) != getattr(DEFAULT_LIMITS, rule.limit)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.code}-{r.limit}")
def test_a_row_speaks_in_numbers_with_a_unit(rule: Rule) -> None:
    reason = rule.reason(0.123456, DEFAULT_LIMITS)
    assert reason.severity in ("reject", "warn", "quota")
    assert reason.unit == UNITS[rule.limit]
    assert any(c.isdigit() for c in reason.text) or rule.code == "face_missing"
    assert "{" not in reason.text and reason.text.endswith(".")


def test_every_check_of_the_issue_has_a_name_and_a_row() -> None:
    rows = {r.code for r in RULES}
    assert not ISSUE - set(CODES)
    assert ISSUE - rows == {"unreadable"}
    assert rows <= set(CODES)
    assert [code for code in CODES if not knows(f"audit.title_{code}")] == []


def test_words_alone_never_reject() -> None:
    assert {r.severity for r in RULES if r.needs == "words"} == {"warn", "quota"}


def test_a_dark_photo_is_not_called_flat_as_well() -> None:
    assert set(reasons({"light": 0.01, "contrast": 20.0})) == {"too_dark"}
    assert set(reasons({"light": 0.5, "contrast": 20.0})) == {"low_contrast"}


def test_the_stricter_row_of_a_code_speaks() -> None:
    assert reasons({"noise": 30.0})["noisy"].severity == "reject"
    assert reasons({"noise": 8.0})["noisy"].severity == "warn"


def test_a_measured_background_silences_the_border() -> None:
    border = {"border_edges": 0.9, "border_colours": 4.9}
    assert "busy_background" in reasons(border)
    assert "busy_background" not in reasons({**border, "background_edges": 0.01, "background_colours": 1.0})


def test_all_of_the_face_is_judged() -> None:
    bad = face(0.02, eyes_open=0.1, yaw_deg=60.0, pitch_deg=30.0, shadow_stops=3.0, covered=0.9)
    fine = [evidence(f"{i}.jpg", face(0.2 + 0.1 * i)) for i in range(3)]
    items = [*fine, evidence("bad.jpg", bad), evidence("none.jpg")]
    found = {e.name: {r.code: r.severity for r in e.reasons} for e in judge(items, DEFAULT_LIMITS).entries}
    assert found["bad.jpg"] == {
        "face_too_small": "reject", "eyes_closed": "reject", "face_covered": "reject", "face_in_shadow": "reject",
        "face_turned": "quota", "shot_from_above": "quota",
    }  # fmt: skip
    assert found["none.jpg"] == {"face_missing": "reject"}
    assert found["0.jpg"] == {}


def test_one_unsure_detector_is_no_reason_to_reject() -> None:
    """What it nearly counted as a face is a warning that says so; a second detector settles it."""
    fine = [evidence(f"{i}.jpg", face(0.2 + 0.1 * i)) for i in range(3)]
    unsure = replace(evidence("unsure.jpg"), people=People("made", (), faint=0.47))
    sure = replace(evidence("sure.jpg"), people=People("made", (), faint=0.1))
    found = {e.name: e for e in judge([*fine, unsure, sure], DEFAULT_LIMITS).entries}
    (reason,) = found["unsure.jpg"].reasons
    assert (reason.code, reason.severity, reason.value) == ("face_missing", "warn", 0.47) and found["unsure.jpg"].keep
    assert "only one detector" in reason.text and "47%" in reason.text and "40%" in reason.text
    assert found["sure.jpg"].codes() == ("face_missing",) and not found["sure.jpg"].keep


def test_a_quota_does_not_cost_the_photo() -> None:
    items = [evidence(f"{i}.jpg", face(yaw_deg=60.0 if i == 0 else 0.0)) for i in range(4)]
    entry = judge(items, DEFAULT_LIMITS).entries[0]
    assert entry.keep and entry.codes("quota") == ("face_turned",)


def test_other_people_in_the_photo() -> None:
    two = evidence("two.jpg", face(), face(0.25, middle=(0.8, 0.4)))
    items = [evidence(f"{i}.jpg", face()) for i in range(3)] + [two]
    assert judge(items, DEFAULT_LIMITS).entries[3].codes() == ("many_people",)
