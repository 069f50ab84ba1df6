"""Variety without the person in it."""

from __future__ import annotations

import numpy as np
import pytest
from written_embedder import WrittenEmbedder, unit

from lora_train.evaluation.erase import identity_directions, without
from lora_train.evaluation.questions import Question
from lora_train.evaluation.variety import measure_variety

D = 40
HAIR = Question("hair", "hair", True, ("red", "black", "blue"), (("red",), ("black",), ("blue",)))
MOOD = Question("mood", "mood", False, ("sad", "glad"), (("sad",), ("glad",)))
WORDS = {word: np.eye(D)[i] for i, word in enumerate(("red", "black", "blue", "sad", "glad"))}


def test_directions_span_the_differences_of_identity_answers_only() -> None:
    directions = identity_directions(WrittenEmbedder(np.eye(D), WORDS), (HAIR, MOOD))
    assert directions.shape == (2, D)  # three answers differ in two directions
    assert directions @ directions.T == pytest.approx(np.eye(2), abs=1e-9)
    assert np.abs(directions @ WORDS["sad"]).max() < 1e-9
    assert np.abs(directions @ (WORDS["red"] - WORDS["blue"])).max() > 0.5


def test_without_identity_questions_nothing_is_taken() -> None:
    rows = unit(np.random.default_rng(0).normal(size=(3, D)))
    assert without(rows, identity_directions(WrittenEmbedder(rows, WORDS), (MOOD,))) is rows


def test_two_people_in_one_moment_become_equal() -> None:
    moment = np.random.default_rng(1).normal(size=D) * (np.arange(D) > 4)
    rows = unit(np.stack([moment + 5 * WORDS["red"], moment + 5 * WORDS["black"]]))
    directions = identity_directions(WrittenEmbedder(rows, WORDS), (HAIR,))
    assert rows[0] @ rows[1] < 0.7
    left = without(rows, directions)
    assert left[0] @ left[1] > 0.9
    assert np.linalg.norm(left, axis=1) == pytest.approx([1, 1])


def test_one_person_in_varied_moments_keeps_all_of_the_bases_variety() -> None:
    rng = np.random.default_rng(2)
    people = [WORDS[w] for w in ("red", "black", "blue")]

    def moments(n: int) -> np.ndarray:
        return rng.normal(size=(n, D)) * (np.arange(D) > 4) / np.sqrt(D)

    base = unit(moments(30) + np.stack([2 * people[i % 3] for i in range(30)]))
    made = unit(moments(30) + 2 * people[0])
    directions = identity_directions(WrittenEmbedder(base, WORDS), (HAIR,))
    raw = measure_variety(made, 0.0, base=base).ratio
    fair = measure_variety(made, 0.0, base=base, person=directions).ratio
    assert raw is not None and raw.value < 0.5
    assert fair is not None and fair.value == pytest.approx(1, abs=0.15)


def test_pairs_of_one_seed_make_the_ratio_surer() -> None:
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(12, D)) * rng.uniform(0.2, 3, size=(12, 1))
    base = unit(np.ones(D) + shared)
    made = unit(np.ones(D) + 0.7 * shared + 0.02 * rng.normal(size=(12, D)))
    paired = measure_variety(made, 0.0, base=base).ratio
    apart = measure_variety(made, 0.0, base=np.concatenate([base, base[:1]])).ratio
    assert paired is not None and apart is not None
    assert paired.value == pytest.approx(apart.value, abs=0.1)
    assert paired.se < 0.6 * apart.se


def test_a_flat_base_is_no_yardstick() -> None:
    flat = np.tile(np.eye(D)[7], (5, 1))
    assert measure_variety(unit(np.random.default_rng(3).normal(size=(5, D))), 0.0, base=flat).ratio is None
