"""Zero-shot questions: words as data, the starter's own model on drawn people, and nothing guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from lora_train.audit.rules import RULES
from lora_train.audit.tags import Tagger, load_tag_questions, load_tagger
from lora_train.audit.tags.hands import hand_answers
from lora_train.audit.tags.questions import calibration_of
from lora_train.audit.tags.regions import cut, region_boxes
from lora_train.errors import BadInputError
from lora_train.faces.types import Body, Face, People
from lora_train.starter.renderer import render
from lora_train.starter.traits import BACKGROUND, Scene, random_identity, random_scene

SHOTS = ("close-up portrait", "half body")


def drawn(size: tuple[int, int] = (64, 64)) -> Image.Image:
    return render(random_identity(Random(0)), random_scene(Random(0)), size)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORASMITH_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = load_tagger("starter")
        made.answers({"whole": made.vectors([drawn()])[0]})
        return made


def asked(tagger: Tagger, scenes: list[Scene], people: int = 1, share: float = 1.0) -> list[dict[str, float]]:
    """The answers about drawings of other people than the model was trained on."""
    rng = Random(991)
    pictures = [render([random_identity(rng) for _ in range(people)], s, (128, 128), share=share, supersample=2)
                for s in scenes]  # fmt: skip
    return [tagger.answers({"whole": row}) for row in tagger.vectors(pictures)]


def scenes(count: int, **fixed: object) -> list[Scene]:
    rng = Random(77)
    return [replace(random_scene(rng), **{"shot": SHOTS[i % 2], **fixed}) for i in range(count)]  # type: ignore[arg-type]


PLACES = {"studio": "indoor", "room": "indoor", "park": "outdoor", "beach": "outdoor", "forest": "outdoor",
          "mountains": "outdoor", "street": "street", "night city": "street"}  # fmt: skip


def test_the_place_of_drawn_people(tagger: Tagger) -> None:
    right = []
    for place in BACKGROUND:
        for answers in asked(tagger, scenes(6, background=place)):
            right.append(max(("indoor", "outdoor", "street"), key=lambda c: answers[c]) == PLACES[place])
    assert np.mean(right) >= 0.9, np.mean(right)


@pytest.mark.parametrize(
    ("code", "yes", "no", "least"),
    [
        ("studio_backdrop", {"background": "studio"}, {"background": "park"}, 0.85),
        ("face_covered", {"glasses": "sunglasses"}, {"glasses": "none"}, 0.75),
    ],
)
def test_yes_and_no(tagger: Tagger, code: str, yes: dict, no: dict, least: float) -> None:
    there = [a[code] >= 0.65 for a in asked(tagger, scenes(24, **yes))]
    absent = [a[code] < 0.65 for a in asked(tagger, scenes(24, **no))]
    assert min(np.mean(there), np.mean(absent)) >= least, (np.mean(there), np.mean(absent))


def test_framing_and_company(tagger: Tagger) -> None:
    names = {"close-up portrait": "portrait", "half body": "half", "full body": "full"}
    for shot, code in names.items():
        right = [max(names.values(), key=lambda c: a[c]) == code for a in asked(tagger, scenes(8, shot=shot))]
        assert np.mean(right) >= 0.7, (shot, np.mean(right))
    alone = [a["many_people"] for a in asked(tagger, scenes(12, shot="half body"))]
    group = [a["many_people"] for a in asked(tagger, scenes(12, shot="half body"), people=3)]
    assert np.median(alone) < 0.35 < 0.65 < np.median(group)


def test_the_starter_is_asked_only_what_it_can_know(tagger: Tagger) -> None:
    answers = asked(tagger, scenes(1))[0]
    cannot = {"smile", "neutral", "mirror_selfie", "hand_in_hair", "drinking_or_holding", "heavy_makeup", "odd_pose"}
    assert not set(answers) & cannot
    assert all(0 <= p <= 1 for p in answers.values())


def test_every_question_of_the_audit_is_asked_and_has_a_contrast() -> None:
    file = load_tag_questions()
    codes = {c for q in file.questions for c in q.codes}
    assert {r.code for r in RULES if r.needs == "words"} - codes == {"many_people", "person_too_small"}
    for question in file.questions:
        assert len({a.code or a.label for a in question.answers}) >= 2
        assert all(len(file.texts(a)) >= 8 for a in question.answers), question.id
    words = " ".join(t for q in file.questions for a in q.answers for t in file.texts(a)).split()
    assert not {"no", "not"} & set(words), "models do not understand negation"


def test_a_model_that_nobody_calibrated_is_read_strictly() -> None:
    slope, middle = calibration_of("some-new-model").of("mirror")
    assert 1 / (1 + np.exp(-slope * (0.02 - middle))) < 0.65 < 1 / (1 + np.exp(-slope * (0.03 - middle)))
    assert "Not calibrated" in calibration_of("some-new-model").source


def test_the_words_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path))
    first = load_tagger("starter")
    vector = first.vectors([drawn()])[0]
    answers = first.answers({"whole": vector})

    class Silent:
        def texts(self, texts: object) -> np.ndarray:
            raise AssertionError("asked again")

    again = replace(first, embedder=Silent())  # type: ignore[arg-type]
    assert again.answers({"whole": vector}) == answers


@pytest.mark.parametrize(
    ("content", "words"),
    [('{"templates": ["x"], "questions": []}', "has no {}"),
     ('{"templates": ["{}"], "questions": [{"id": "q", "title": "q", "region": "nose", "answers": []}]}', "region"),
     ('{"templates": ["{}"], "questions": [{"id": "q", "title": "q", "region": "face", "answers": []}]}',
      "two answers")],
)  # fmt: skip
def test_a_broken_file_of_questions(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match=words):
        load_tag_questions("", path)


# ---- regions and hands

FACE = Face((0.4, 0.2, 0.6, 0.45), 0.9)


def test_regions_follow_the_face_and_stay_inside() -> None:
    boxes = region_boxes(People("x", (FACE,)), ("whole", "face", "upper"))
    assert boxes["whole"] is None
    left, top, right, bottom = boxes["face"]  # type: ignore[misc]
    assert left < 0.4 and top < 0.2 and right > 0.6 and bottom > 0.45
    assert all(0 <= v <= 1 for v in boxes["upper"])  # type: ignore[union-attr]
    assert region_boxes(None, ("face",)) == {"face": None}
    picture = drawn((200, 100))
    assert cut(picture, (0.0, 0.0, 0.5, 1.0), (20, 20)).size == (40, 40)
    assert cut(picture, None, (224, 224)).size == (200, 100)


def body(**hands: tuple[float, float, float]) -> Body:
    return Body((0.2, 0.1, 0.8, 1.0), 0.3, hands)


@pytest.mark.parametrize(
    ("hands", "expected"),
    [
        ({"left_index": (0.62, 0.2, 0.9), "right_index": (0.3, 0.9, 0.9)}, {"hand_in_hair": 0.85}),
        ({"left_index": (0.7, 0.9, 0.9), "right_index": (0.3, 0.9, 0.9)}, {"hand_in_hair": 0.15}),
        ({"left_index": (0.52, 0.42, 0.9), "right_index": (0.3, 0.9, 0.9)},
         {"hand_in_hair": 0.15, "drinking_or_holding": 0.7}),
        ({"left_index": (0.62, 0.2, 0.2)}, {}),
        ({"left_index": (0.7, 0.9, 0.9)}, {}),
    ],
)  # fmt: skip
def test_hands_are_found_by_their_place(hands: dict, expected: dict[str, float]) -> None:
    assert hand_answers(FACE, body(**hands)) == expected


def test_without_points_nothing_is_said_about_hands() -> None:
    assert hand_answers(FACE, None) == {} == hand_answers(None, body()) == hand_answers(FACE, body())


def test_points_decide_before_the_model(tagger: Tagger) -> None:
    people = People("x", (FACE,), body(left_index=(0.62, 0.2, 0.9), right_index=(0.3, 0.9, 0.9)))
    vector = tagger.vectors([drawn()])[0]
    answers: Callable[..., dict[str, float]] = tagger.answers
    assert answers({"whole": vector}, people)["hand_in_hair"] == 0.85
    assert "hand_in_hair" not in answers({"whole": vector})
