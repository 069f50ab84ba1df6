"""What nobody measured is said to be so, and never looks like good."""

from __future__ import annotations

from made_evidence import evidence, face

from lora_train.audit import DEFAULT_LIMITS, judge
from lora_train.dataset.manifest import title_of

FACE_CODES = {"face_missing", "eyes_closed", "face_turned", "face_in_shadow", "not_the_subject"}


def codes(verdict: object) -> set[str]:
    return {n.code for n in verdict.not_judged}  # type: ignore[attr-defined]


def test_without_lookers_everything_about_faces_and_words_is_listed() -> None:
    verdict = judge([evidence(f"{i}.jpg", looked=False) for i in range(12)], DEFAULT_LIMITS)
    assert codes(verdict) >= FACE_CODES | {"mirror_selfie", "odd_pose", "hand_in_hair"}
    assert not codes(verdict) & {"blurry", "too_dark", "noisy"}
    assert all(n.title == title_of(n.code) and "not judged, it " in n.text for n in verdict.not_judged)
    unmeasured = {s.code for s in verdict.stats if s.state == "not measured"}
    assert unmeasured >= {"smile", "frontal", "full", "indoor", "clothes", "mirror_selfie"}
    assert all(s.of == 0 and "not measured" in s.text for s in verdict.stats if s.state == "not measured")
    assert any("face models" in s for s in verdict.next_steps) and any("CLIP" in s for s in verdict.next_steps)


def test_the_score_counts_only_what_was_measured() -> None:
    blind = judge([evidence(f"{i}.jpg", looked=False) for i in range(25)], DEFAULT_LIMITS)
    seen = judge([evidence(f"{i}.jpg", face(0.05 + 0.02 * (i % 15), yaw_deg=i % 12, smile=i % 2)) for i in range(25)],
                 DEFAULT_LIMITS)  # fmt: skip
    assert blind.score <= blind.score_max < seen.score_max < 100
    assert seen.score > blind.score


def test_a_set_of_drawings_is_no_set_of_missing_faces() -> None:
    items = [evidence(f"{i}.jpg", *([face()] if i < 4 else [])) for i in range(10)]
    verdict = judge(items, DEFAULT_LIMITS)
    assert all(e.keep for e in verdict.entries)
    row = next(n for n in verdict.not_judged if n.code == "face_missing")
    assert "4 of 10 photos" in row.text
    assert next(s for s in verdict.stats if s.code == "frontal").state == "not measured"


def test_half_of_the_photos_with_a_face_is_a_set_of_a_person() -> None:
    items = [evidence(f"{i}.jpg", *([face()] if i < 5 else [])) for i in range(10)]
    assert sum("face_missing" in e.codes() for e in judge(items, DEFAULT_LIMITS).entries) == 5


def test_a_style_is_not_judged_by_its_faces() -> None:
    items = [evidence(f"{i}.jpg") for i in range(5)] + [evidence(f"f{i}.jpg", face(yaw_deg=80.0)) for i in range(6)]
    verdict = judge(items, DEFAULT_LIMITS, purpose="style")
    assert all(e.keep and not e.reasons for e in verdict.entries)
    assert codes(verdict) >= FACE_CODES
    assert "style" in next(n.text for n in verdict.not_judged if n.code == "eyes_closed")
    assert {s.code for s in verdict.stats} == {"photos", "backgrounds", "one_background", "one_light"}
    count = verdict.stats[0]
    assert (count.wanted_low, count.wanted_high) == (30, 40)


def test_a_check_that_was_made_on_some_photos_is_not_listed() -> None:
    items = [evidence(f"{i}.jpg", face()) for i in range(6)] + [evidence("old.jpg", looked=False)]
    verdict = judge(items, DEFAULT_LIMITS)
    assert "eyes_closed" not in codes(verdict)
    assert next(s for s in verdict.stats if s.code == "frontal").of == 6
    assert verdict.entries[-1].keep, "nobody looked at it, so it is not without a face"
