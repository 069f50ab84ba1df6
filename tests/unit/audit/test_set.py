"""The set as a whole: shares, variety, groups, warnings in words, one score and what to do next."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from made_evidence import RNG, evidence, face

from lora_train.audit import DEFAULT_LIMITS, Evidence, Judgement, judge
from lora_train.audit.shares import KINDS
from lora_train.dataset.manifest import Share
from lora_train.faces.types import Body, People
from lora_train.say import knows

ABSENT = (
    "mirror_selfie", "studio_backdrop", "drinking_or_holding", "heavy_makeup", "hand_in_hair", "odd_pose",
    "text_or_watermark", "heavy_filter", "busy_background", "face_covered", "neutral", "laughing", "sad", "surprised",
)  # fmt: skip


def varied(i: int, **fields: object) -> Evidence:
    """Photo ``i`` of a set that is as it should be: frontal, a smile in four, every framing and place."""
    height = (0.35, 0.15, 0.06)[0 if i % 5 < 3 else i % 5 - 2]
    look = {"yaw_deg": (0.0, 8.0, -25.0, 30.0)[i % 4], "pitch_deg": -6.0 + 2.3 * (i % 6), "roll_deg": 3.0 * (i % 5),
            "smile": float(i % 4 == 1), **fields}  # fmt: skip
    place = {"indoor": 0.9, "outdoor": 0.1, "street": 0.1}
    names = list(place)
    answers = {names[(k + i) % 3]: v for k, v in enumerate(place.values())}
    answers |= dict.fromkeys(ABSENT, 0.1)
    answers["smile" if i % 4 == 1 else "neutral"] = 0.9
    answers.setdefault("smile", 0.1)
    worn = RNG.random(384).astype(np.float32) ** 4
    middle = (0.3 + 0.02 * i % 0.4, 0.35 + 0.013 * i % 0.2)
    worn /= np.linalg.norm(worn)
    light = (0.05, 0.2, 0.5)[i % 3]
    one = face(height, middle=middle, **look)
    return evidence(f"{i:03}.jpg", one, answers=answers, clothes=worn, brightness=light)


def share(verdict: Judgement, code: str) -> Share:
    return next(s for s in verdict.stats if s.code == code)


def answered(item: Evidence, **answers: float) -> Evidence:
    return dataclasses.replace(item, answers={**(item.answers or {}), **answers})


GOOD = tuple(varied(i) for i in range(25))


def test_a_good_set_has_nothing_to_say_and_nearly_all_points() -> None:
    verdict = judge(GOOD, DEFAULT_LIMITS)
    assert all(e.keep for e in verdict.entries)
    assert {s.code: s.text for s in verdict.stats if s.state != "good" and s.code != "wide_angle"} == {}
    assert verdict.score >= 0.97 * verdict.score_max and verdict.score_max >= 95
    assert verdict.warnings == () and verdict.next_steps == ()


def change(**fields: object) -> list[Evidence]:
    return [varied(i, **fields) for i in range(25)]


@pytest.mark.parametrize(
    ("items", "code", "words"),
    [
        (change(smile=1.0), "smile", "25 of 25 photos smile: the model will always smile"),
        (change(yaw_deg=30.0), "frontal", "0 of 25 faces look into the camera: the face will not hold"),
        (change(pitch_deg=-30.0), "turned", "25 of 25 faces are in profile or far up or down"),
        ([x for i, x in enumerate(GOOD) if i % 5 != 4], "full", "0 of 20 .* proportions are not learned"),
        ([x for i, x in enumerate(GOOD) if i % 5 >= 3] * 1, "portrait", "0 of 10 photos are portraits"),
        ([answered(x, mirror_selfie=0.9) for x in GOOD], "mirror_selfie", "25 of 25 photos are mirror selfies"),
        ([answered(x, studio_backdrop=0.9) for x in GOOD], "studio_backdrop", "25 of 25 photos are from a studio"),
        ([answered(x, drinking_or_holding=0.9) for x in GOOD], "drinking_or_holding", "it will be drawn along"),
        ([answered(x, heavy_makeup=0.9) for x in GOOD], "heavy_makeup", "it becomes the face"),
        ([answered(x, indoor=0.99, outdoor=0.0, street=0.0) for x in GOOD], "indoor", "25 of 25 photos are indoors"),
        ([answered(x, indoor=0.99, outdoor=0.0, street=0.0) for x in GOOD], "street", "Only 0 of 25 photos are in the"),
        ([dataclasses.replace(x, clothes=GOOD[0].clothes) for x in GOOD], "clothes", "1 different outfits in 25"),
        ([dataclasses.replace(x, clothes=GOOD[0].clothes) for x in GOOD], "one_outfit", "25 of 25 photos show"),
    ],
    ids=lambda v: v if isinstance(v, str) and v.isidentifier() else "",
)  # fmt: skip
def test_warnings_in_the_logic_of_the_guide(items: list[Evidence], code: str, words: str) -> None:
    verdict = judge(items, DEFAULT_LIMITS)
    row = share(verdict, code)
    assert row.state == "bad" and re.search(words, row.text), row
    assert code in {w.code for w in verdict.warnings}
    assert verdict.score < judge(GOOD, DEFAULT_LIMITS).score


def test_wide_angles_and_one_light() -> None:
    dim = [dataclasses.replace(x, measured=dataclasses.replace(
        x.measured, scores={**x.measured.scores, "brightness": 0.05})) for x in GOOD]  # fmt: skip
    assert share(judge(dim, DEFAULT_LIMITS), "one_light").state == "bad"
    wide = [dataclasses.replace(x, photo=dataclasses.replace(x.photo, focal_35mm=24.0, height_px=768),
                                people=dataclasses.replace(x.people, faces=(dataclasses.replace(  # type: ignore[type-var]
                                    x.people.faces[0], eyes=((0.3, 0.4), (0.41, 0.4))),)))  # type: ignore[union-attr]
            for x in GOOD]  # fmt: skip
    verdict = judge(wide, DEFAULT_LIMITS)
    assert "proportions will be distorted" in share(verdict, "wide_angle").text
    assert "wide_angle" in verdict.entries[0].codes("reject") + verdict.entries[0].codes("warn")


def test_few_photos_are_never_called_bad() -> None:
    verdict = judge([varied(i, smile=1.0) for i in range(5)], DEFAULT_LIMITS)
    assert share(verdict, "smile").state == "watch"
    assert {w.code for w in verdict.warnings} == {"too_few"}


def test_next_steps_say_how_many_of_what() -> None:
    indoors = [answered(x, indoor=0.9, outdoor=0.0, street=0.9 if i < 4 else 0.0) for i, x in enumerate(GOOD)]
    copies = [dataclasses.replace(GOOD[i], photo=dataclasses.replace(GOOD[i].photo, path=GOOD[i].photo.path.with_name(
        f"copy{i}.jpg"))) for i in range(3)]  # fmt: skip
    steps = judge([*indoors, *copies], DEFAULT_LIMITS).next_steps
    assert "Add 3 outdoor photos" in steps
    assert "Drop 3 duplicates (left out already)" in steps
    # and when that is done, nothing is left to say about it
    fixed = [*indoors, *(answered(varied(30 + i), indoor=0.0, outdoor=0.9, street=0.0) for i in range(3))]
    assert share(judge(fixed, DEFAULT_LIMITS), "outdoor").state == "good"


@pytest.mark.parametrize(
    ("count", "words"), [(6, "Add 9 more photos"), (16, "Add 4 more photos"), (60, "Keep the best 30")]
)
def test_next_steps_count_the_photos(count: int, words: str) -> None:
    verdict = judge([varied(i) for i in range(count)], DEFAULT_LIMITS)
    assert any(s.startswith(words) for s in verdict.next_steps), verdict.next_steps


def test_too_few_photos_cap_the_score_however_varied_they_are() -> None:
    five = judge([varied(i) for i in range(5)], DEFAULT_LIMITS)
    assert five.score <= 0.51 * five.score_max


def test_a_decision_of_the_user_counts() -> None:
    verdict = judge(GOOD, DEFAULT_LIMITS, overrides={"000.jpg": "reject", "nobody.jpg": "keep"})
    assert not verdict.entries[0].keep and verdict.entries[0].override == "reject"
    assert share(verdict, "photos").count == 24
    dark = evidence("dark.jpg", face(), light=0.001)
    kept = judge([dark], DEFAULT_LIMITS, overrides={"dark.jpg": "keep"}).entries[0]
    assert kept.keep and kept.codes() == ("too_dark",), "the reason stays to be read"


# ---- groups


def alike(i: int, like: Evidence, **parts: object) -> Evidence:
    """Photo ``i`` with the surroundings of ``like``."""
    item = varied(i)
    look = {"thumb_hex": like.measured.thumb_hex, "colours_hex": like.measured.colours_hex}
    return dataclasses.replace(item, measured=dataclasses.replace(item.measured, **look), **parts)  # type: ignore[arg-type]


def groups(items: list[Evidence]) -> list[tuple[str, tuple[str, ...]]]:
    return [(g.kind, g.members) for g in judge(items, DEFAULT_LIMITS).groups]


NAMES = tuple(f"{i:03}.jpg" for i in range(50, 54))


def test_same_clothes_at_the_same_place() -> None:
    series = [alike(i, GOOD[0], clothes=GOOD[0].clothes) for i in range(50, 54)]
    assert groups([*GOOD[1:], *series]) == [("same_clothes_and_background", NAMES)]


def test_the_same_place_in_other_clothes() -> None:
    assert groups([*GOOD[1:], *(alike(i, GOOD[0]) for i in range(50, 54))]) == [("same_background", NAMES)]


def test_a_studio_series() -> None:
    series = [answered(alike(i, GOOD[0]), studio_backdrop=0.95) for i in range(50, 54)]
    assert groups([*GOOD[1:], *series]) == [("studio_series", NAMES)]


def test_the_same_pose_elsewhere() -> None:
    posed = face(0.25, yaw_deg=-12.0, pitch_deg=9.0, roll_deg=-4.0, middle=(0.55, 0.3))
    series = [dataclasses.replace(varied(i), people=dataclasses.replace(GOOD[0].people, faces=(posed,)))  # type: ignore[type-var]
              for i in range(50, 54)]  # fmt: skip
    assert groups([*GOOD, *series]) == [("same_pose", NAMES)]


def test_the_best_of_a_group_is_its_keeper_and_everybody_stays() -> None:
    series = [alike(i, GOOD[0]) for i in range(50, 54)]
    sharp = dataclasses.replace(series[2], measured=dataclasses.replace(
        series[2].measured, scores={**series[2].measured.scores, "blur_px": 0.5}))  # fmt: skip
    verdict = judge([*GOOD[1:], *series[:2], sharp, series[3]], DEFAULT_LIMITS)
    assert verdict.groups[0].keeper == "052.jpg"
    assert all(e.keep for e in verdict.entries)
    assert "'052.jpg'" in verdict.entries[-1].reasons[-1].text


def test_every_kind_of_share_has_its_limits_and_sentences() -> None:
    for kind in KINDS:
        assert knows(f"audit.share_{kind.code}")
        assert (kind.low is not None) == knows(f"audit.few_{kind.code}")
        assert (kind.high is not None) == knows(f"audit.many_{kind.code}")
        assert kind.addable == knows(f"audit.add_{kind.code}") and (kind.low is not None or not kind.addable)
        assert kind.points > 0


def test_feet_make_a_full_length_however_large_the_face_is() -> None:
    """A jump or a crouch is half as tall as the person: a face of 17 % of the height, and feet."""
    body = Body((0.2, 0.1, 0.8, 0.9), 0.3, {"left_ankle": (0.4, 0.85, 0.9), "right_ankle": (0.6, 0.8, 0.9)})
    items = [varied(i) for i in range(10)]
    jump = dataclasses.replace(items[3], people=People("made", (face(0.167),), body))
    plain = dataclasses.replace(items[3], people=People("made", (face(0.167),)))
    with_feet, without = (
        {s.code: s.count for s in judge([*items[:3], x, *items[4:]], DEFAULT_LIMITS).stats} for x in (jump, plain)
    )
    assert (with_feet["full"], with_feet["half"]) == (without["full"] + 1, without["half"] - 1)
    assert with_feet["portrait"] == without["portrait"]
