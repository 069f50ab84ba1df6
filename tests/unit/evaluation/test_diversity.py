"""Each verdict from embeddings that were written down for it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from written_embedder import WrittenEmbedder, picture, unit

from lora_train.errors import BadInputError
from lora_train.evaluation.diversity import DiversityReport, judge_diversity
from lora_train.evaluation.questions import Question
from lora_train.evaluation.verdict import ADVICE
from lora_train.say import say

D = 64
RED, BLACK, SMILE, SAD = np.eye(D)[:4]
WORDS = {"red hair": RED, "black hair": BLACK, "smiling": SMILE, "sad": SAD}
ASKED = (
    Question("hair", "hair", True, ("red hair", "black hair"), (("red hair",), ("black hair",))),
    Question("mood", "mood", False, ("smiling", "sad"), (("smiling",), ("sad",))),
)


def advice(code: str) -> tuple[str, ...]:
    return tuple(say(key) for key in ADVICE[code])


def rows(n: int, spread: float, traits: list[np.ndarray], seed: int) -> np.ndarray:
    """n unit rows around the sum of ``traits``: the larger the spread, the more they differ."""
    rng = np.random.default_rng(seed)
    noise = np.concatenate([np.zeros((n, 4)), rng.normal(size=(n, D - 4))], axis=1) / np.sqrt(D)
    return unit(sum(traits, np.zeros(D)) + spread * noise)


def judge(
    made: np.ndarray,
    base: np.ndarray | None = None,
    photos: np.ndarray | None = None,
    prompt: str | None = None,
    copied: dict[int, int] | None = None,
) -> DiversityReport:
    """Pictures 0.., then base pictures, then photos; ``copied`` lets a picture look like a photo."""
    sets = [x for x in (made, base, photos) if x is not None]
    starts = np.cumsum([0] + [len(x) for x in sets])
    numbered = [[picture(int(s) + i) for i in range(len(x))] for s, x in zip(starts, sets, strict=False)]
    pictures = numbered[0]
    for i, photo in (copied or {}).items():
        pictures[i] = picture(i, seed=int(starts[-2]) + photo)
    return judge_diversity(
        pictures,
        base_images=numbered[1] if base is not None else None,
        reference=numbered[-1] if photos is not None else None,
        prompt=prompt,
        trigger="ohwx",
        embedder=WrittenEmbedder(np.concatenate(sets), WORDS),
        questions=ASKED,
    )


PHOTOS = rows(10, 1.6, [RED], 3)
BASE = rows(8, 2.2, [BLACK], 2)


def test_good() -> None:
    report = judge(rows(8, 1.9, [RED], 1), BASE, PHOTOS)
    assert report.verdict == "good"
    assert report.identity and report.identity.share == 1.0 and report.identity.base_share == 0.0
    assert report.copies == ()
    assert report.advice == advice("good")


def test_overfit_gives_the_agreed_advice() -> None:
    report = judge(rows(8, 0.3, [RED], 1), BASE, PHOTOS)
    assert report.verdict == "overfit"
    assert "fewer steps, more varied photos, remove duplicates" in report.advice[0]
    variety = report.axes[0]
    assert variety.value is not None and variety.value < 0.2 and variety.is_sure


def test_overfit_without_base_says_that_a_base_would_help() -> None:
    report = judge(rows(8, 0.3, [RED], 1), photos=PHOTOS)
    assert report.verdict == "overfit"
    assert advice("no base")[0] in report.advice
    assert judge(rows(8, 2.5, [RED], 1), photos=PHOTOS).verdict == "good"


def test_collapse_onto_another_face_names_the_photos_as_cause() -> None:
    report = judge(rows(8, 0.3, [BLACK], 1), BASE, PHOTOS)
    assert report.verdict == "overfit"
    assert advice("overfit and not the person")[0] in report.advice


def test_underfit() -> None:
    report = judge(rows(8, 2.0, [BLACK], 1), BASE, PHOTOS)
    assert report.verdict == "underfit"
    assert report.identity and report.identity.share < 0.5


def test_ignores_the_prompt() -> None:
    prompt = "photo of ohwx person, smiling"
    base = rows(8, 2.0, [SMILE], 2)
    report = judge(rows(8, 1.9, [RED, SAD], 1), base, PHOTOS, prompt)
    assert report.verdict == "ignores the prompt"
    assert judge(rows(8, 1.9, [RED, SMILE], 1), base, PHOTOS, prompt).verdict == "good"
    assert judge(rows(8, 1.9, [RED, SAD], 1), None, PHOTOS, prompt).verdict == "ignores the prompt"


def test_a_prompt_that_names_nothing_is_compared_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    kite = np.eye(D)[10]
    monkeypatch.setitem(WORDS, "kite", kite)
    base, flat = rows(8, 1.0, [kite], 2), rows(8, 1.9, [RED], 1)
    report = judge(flat, base, PHOTOS, "ohwx person flying a kite")
    assert report.verdict == "ignores the prompt"
    assert judge(flat, base, PHOTOS, "photo of ohwx person").axes[3].state == "not checked"


def test_copies_are_named_with_the_photo_to_remove() -> None:
    report = judge(rows(8, 1.9, [RED], 1), BASE, PHOTOS, copied={0: 4, 1: 4, 5: 4})
    assert report.verdict == "copies training photos"
    assert [c.image for c in report.copies] == [0, 1, 5]
    assert {c.photo for c in report.copies} == {4}
    assert any("'photo 5'" in sentence and "3 of 8" in sentence for sentence in report.advice)


def test_one_copy_of_eight_is_a_warning() -> None:
    report = judge(rows(8, 1.9, [RED], 1), BASE, PHOTOS, copied={2: 7})
    assert report.verdict == "good"
    assert report.axes[2].state == "watch"
    assert advice("watch copying")[0] in report.advice


@pytest.mark.parametrize("n", [0, 1, 2])
def test_not_enough_images(n: int) -> None:
    report = judge(rows(n, 1, [RED], 1) if n else np.zeros((0, D)), photos=PHOTOS)
    assert report.verdict == "not enough images"
    assert "at least 4" in report.advice[0] and "annot tell with" in report.advice[0]
    json.dumps(report.to_json(), allow_nan=False)


def test_few_pictures_near_a_limit_are_inconclusive() -> None:
    report = judge(rows(4, 1.25, [RED], 5), BASE, PHOTOS)
    variety = report.axes[0]
    assert variety.low is not None and variety.high is not None
    assert variety.high - variety.low > 0.1
    wide = [a for a in report.axes if a.low is not None and a.low < (a.limit or 0) < (a.high or 0)]
    assert all(not a.is_sure for a in wide)


def test_pictures_are_compared_within_their_prompt() -> None:
    near_a, near_b = rows(4, 0.2, [RED, SMILE], 1), rows(4, 0.2, [RED, SAD], 2)
    made = np.concatenate([near_a, near_b])
    base = np.concatenate([rows(4, 2, [SMILE], 3), rows(4, 2, [SAD], 4)])
    embedder = WrittenEmbedder(np.concatenate([made, base]), WORDS)
    pictures = [picture(i) for i in range(16)]
    prompts = ["smiling"] * 4 + ["sad"] * 4
    report = judge_diversity(pictures[:8], base_images=pictures[8:], prompt=prompts, embedder=embedder, questions=ASKED)
    assert report.verdict == "overfit"
    assert report.mean_similarity == pytest.approx(
        np.mean([(x @ x.T)[np.triu_indices(4, 1)].mean() for x in (near_a, near_b)])
    )


def test_json_has_the_agreed_keys_and_survives_strict_json() -> None:
    value = judge(rows(8, 1.9, [RED], 1), BASE, PHOTOS, copied={2: 7}).to_json()
    assert {"verdict", "vendi", "mean_similarity", "identity", "copies", "advice"} <= set(value)
    assert set(value["copies"][0]) >= {"image", "photo"}
    assert json.loads(json.dumps(value, allow_nan=False))["identity"] == 1.0


def test_wrong_counts_are_refused() -> None:
    embedder = WrittenEmbedder(rows(6, 1, [RED], 0), WORDS)
    pictures = [picture(i) for i in range(6)]
    with pytest.raises(BadInputError, match="2 prompts were given for 6 pictures"):
        judge_diversity(pictures, prompt=["a", "b"], embedder=embedder)
    with pytest.raises(BadInputError, match="5 names"):
        judge_diversity(pictures, image_names=["x"] * 5, embedder=embedder)
    with pytest.raises(BadInputError, match="5 base pictures"):
        judge_diversity(pictures, base_images=pictures[:5], prompt=list("abcabc"), embedder=embedder)


def test_three_pictures_give_numbers_and_no_verdict() -> None:
    report = judge(rows(3, 0.3, [RED], 1), BASE, PHOTOS)
    assert report.verdict == "not enough images" and "3 pictures" in report.advice[0]
    assert report.axis("variety") is not None and report.vendi > 1


def test_a_habit_that_the_photos_taught_is_overfitting_and_named_first() -> None:
    made, base = rows(8, 1.9, [RED, 0.8 * SMILE], 1), rows(8, 2.2, [BLACK, 0.8 * SAD], 2)
    report = judge(made, base, rows(10, 1.6, [RED, 0.8 * SMILE], 3))
    assert report.verdict == "overfit" and report.axes[0].state != "bad"
    assert [h.label for h in report.habits if h.is_habit] == ["smiling"]
    assert "'smiling' was learned as a part of the subject" in report.advice[0]
    asked_for = judge(made, base, rows(10, 1.6, [RED, 0.8 * SMILE], 3), prompt="smiling")
    assert asked_for.verdict == "good" and not any(h.is_habit for h in asked_for.habits)


def test_every_picture_has_its_nearest_photo_and_the_parts_are_measured() -> None:
    report = judge(rows(8, 1.9, [RED], 1), BASE, PHOTOS)
    assert [n.image for n in report.nearest] == list(range(8)) and len(report.sharpness) == 8
    assert report.parts is not None and report.parts.subject is not None and report.parts.place is not None
    assert -1 <= report.parts.pixel_similarity <= 1
    assert sum(report.spreads[-1].counts.values()) == 8 and report.spreads[-1].title == "light"
