"""Traits of a person: found in the photos, counted in the pictures."""

from __future__ import annotations

import numpy as np
import pytest
from written_embedder import unit

from lora_train.evaluation.identity import (
    Identity,
    agreement,
    carried,
    closeness,
    closeness_left_out,
    measure_identity,
    traits_of,
)
from lora_train.evaluation.questions import Question

HAIR = Question("hair", "hair", True, ("black hair", "red hair"), (("a",), ("b",)))
EYES = Question("eyes", "eyes", True, ("blue eyes", "green eyes", "grey eyes"), (("a",), ("b",), ("c",)))
MOOD = Question("mood", "mood", False, ("sad", "smiling"), (("a",), ("b",)))
ASKED = (HAIR, EYES, MOOD)


def votes(indices: list[int], k: int) -> np.ndarray:
    return np.eye(k)[indices] * 0.9 + 0.01


def test_only_agreed_traits_of_the_person_count() -> None:
    photos = {"hair": votes([1, 1, 1, 0], 2), "eyes": votes([0, 1, 2, 0], 3), "mood": votes([1] * 4, 2)}
    found = traits_of(photos, ASKED, 0.7)
    assert [(t.label, t.share) for t in found] == [("red hair", 0.75)]


def test_what_is_absent_is_no_trait() -> None:
    beard = Question("beard", "beard", True, ("no beard", "a beard"), (("a",), ("b",)), frozenset([0]))
    assert traits_of({"beard": votes([0, 0, 0], 2)}, (beard,), 0.7) == ()
    assert traits_of({"beard": votes([1, 1, 1], 2)}, (beard,), 0.7)[0].label == "a beard"


def test_share_of_pictures_that_are_the_person() -> None:
    photos = {"hair": votes([1, 1], 2), "eyes": votes([2, 2], 3), "mood": votes([0, 1], 2)}
    made = {"hair": votes([1, 1, 0, 1], 2), "eyes": votes([2, 2, 2, 0], 3), "mood": votes([0] * 4, 2)}
    base = {"hair": votes([0] * 4, 2), "eyes": votes([2] * 4, 3), "mood": votes([0] * 4, 2)}
    rows = unit(np.random.default_rng(0).normal(size=(4, 6)))
    found = measure_identity(made, traits_of(photos, ASKED, 0.7), rows, rows[:2], 0.75, base)
    assert (found.hits, found.n, found.share, found.base_share) == (2, 4, 0.5, 0.0)
    assert found.trait_shares == {"red hair": 0.75, "grey eyes": 0.75}
    assert found.interval()[0] < 0.2 < 0.8 < found.interval()[1]


def test_three_of_four_traits_are_enough_and_none_is_not() -> None:
    agree = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)
    assert carried(agree, 0.75).tolist() == [True, False]
    assert carried(np.zeros((3, 0), bool), 0.75).tolist() == [False] * 3


def test_without_traits() -> None:
    assert agreement({"hair": votes([0, 1], 2)}, ()).shape == (2, 0)
    assert traits_of({"hair": np.zeros((0, 2)), "eyes": np.zeros((0, 3))}, (HAIR, EYES), 0.7) == ()
    assert Identity((), 0, 0, {}, 0, 0).share == 0


def test_closeness_leaves_the_photo_itself_out() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert closeness_left_out(rows) == pytest.approx(0)
    assert closeness(rows, rows) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(closeness_left_out(rows[:1]))
