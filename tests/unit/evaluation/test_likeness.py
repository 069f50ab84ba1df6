"""The same person by face: relative to the photos' own spread, and never a number that means nothing."""

from __future__ import annotations

import numpy as np
import pytest

from lora_train.evaluation.likeness import FaceLikeness, face_likeness
from lora_train.evaluation.limits import DEFAULT_LIMITS as LIMITS
from lora_train.faces.types import Face, People

ANNA, EVE = np.zeros(128), np.full(128, 0.9 / np.sqrt(128))


def people(who: np.ndarray | None, seed: int, spread: float = 0.25, more: np.ndarray | None = None) -> People:
    """One photo of somebody; half of the distance between two photos is ``spread`` / sqrt 2."""

    def face(one: np.ndarray, number: int) -> Face:
        noise = np.random.default_rng(number).normal(size=128)
        row = one + spread / np.sqrt(2) * noise / np.linalg.norm(noise)
        return Face((0.3, 0.2, 0.6, 0.6), 0.99, identity=tuple(float(v) for v in row))

    faces = [face(one, seed + 1000 * i) for i, one in enumerate(w for w in (who, more) if w is not None)]
    return People("written", tuple(faces))


PHOTOS = [people(ANNA, i) for i in range(8)]


def found(made: list[People | None], photos: list = PHOTOS, base: list | None = None) -> FaceLikeness:
    result = face_likeness(made, photos, LIMITS, base)
    assert isinstance(result, FaceLikeness), result
    return result


def test_the_person_is_the_person_and_a_stranger_is_not() -> None:
    anna, eve = [people(ANNA, 50 + i) for i in range(6)], [people(EVE, 70 + i) for i in range(6)]
    same = found(anna, base=eve)
    assert same.hits == 6 and same.base_share == 0.0 and same.median == pytest.approx(0.25, abs=0.02)
    assert same.limit == LIMITS.face_distance_least
    other = found(eve)
    assert other.hits == 0 and other.is_someone_else
    mixed = found([*eve[:3], *anna[:3]])
    assert mixed.hits == 3 and not mixed.is_someone_else


def test_varied_photos_allow_more_but_never_another_person() -> None:
    loose = found([people(ANNA, 50 + i, 0.5) for i in range(6)], [people(ANNA, i, 0.48) for i in range(8)])
    assert LIMITS.face_distance_least < loose.limit <= LIMITS.face_distance_most


def test_the_nearest_of_several_faces_is_judged_and_the_others_are_counted() -> None:
    pair = found([people(EVE, i, more=ANNA) for i in range(4)])
    assert pair.hits == 4 and pair.several == 4


def test_a_sentence_instead_of_a_number() -> None:
    nobody = [People("written", ())] * 3 + [people(ANNA, 5)]
    said = face_likeness(nobody, PHOTOS, LIMITS)
    assert isinstance(said, str) and "A face was found in 1 of 4 pictures" in said
    crowd = [people(np.random.default_rng(i).normal(size=128), i) for i in range(6)]
    said = face_likeness([people(ANNA, 5)], crowd, LIMITS)
    assert isinstance(said, str) and "do not show one person" in said
    said = face_likeness([people(ANNA, 5)], PHOTOS[:2], LIMITS)
    assert isinstance(said, str) and "2 photos have a face" in said
