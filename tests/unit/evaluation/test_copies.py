"""The search for copied training photos."""

from __future__ import annotations

import numpy as np
from PIL import ImageOps
from written_embedder import picture, unit

from lora_train.evaluation.copies import (
    Looks,
    Nearest,
    compare_looks,
    copy_cosine_of,
    most_copied,
    nearest_photos,
    prints_of,
)


def looks(bits: np.ndarray, likeness: float | np.ndarray) -> Looks:
    return Looks(bits, np.broadcast_to(likeness, bits.shape), np.zeros(bits.shape, bool))


LIMITS = {"copy_cosine": 0.97, "copy_bits": 8, "copy_likeness": 0.9}


def test_mirrored_copy_is_found_and_said() -> None:
    photos = [picture(i) for i in range(5)]
    compared = compare_looks(prints_of([ImageOps.mirror(photos[3]), photos[1].resize((30, 20))]), prints_of(photos))
    first, second = nearest_photos(np.full((2, 5), 0.2), compared, **LIMITS)
    assert (first.photo, first.is_mirrored, first.is_copy) == (3, True, True)
    assert first.bits <= 2 and first.likeness > 0.99
    assert (second.photo, second.is_mirrored, second.is_copy) == (1, False, True)


def test_copy_by_embedding_alone_and_no_copy() -> None:
    cosines = np.array([[0.1, 0.98, 0.3], [0.1, 0.5, 0.7]])
    first, second = nearest_photos(cosines, looks(np.full((2, 3), 30), 0.5), **LIMITS)
    assert (first.photo, first.is_copy, first.cosine) == (1, True, 0.98)
    assert (second.photo, second.is_copy) == (2, False)


def test_a_hash_that_agrees_by_chance_is_no_copy() -> None:
    alike_hash = looks(np.array([[4, 30]]), np.array([[0.6, 0.95]]))
    found = nearest_photos(np.array([[0.2, 0.4]]), alike_hash, **LIMITS)[0]
    assert (found.photo, found.is_copy) == (1, False)


def test_limit_rises_with_alike_training_photos_but_never_to_one() -> None:
    rng = np.random.default_rng(1)
    varied = unit(rng.normal(size=(10, 50)))
    alike = unit(np.ones(50) + 0.01 * rng.normal(size=(10, 50)))
    assert copy_cosine_of(varied, 0.9) == 0.9
    assert 0.99 <= copy_cosine_of(alike, 0.9) <= 0.995
    assert copy_cosine_of(varied[:2], 0.9) == 0.9


def test_the_photo_that_swallows_the_others() -> None:
    def copy(photo: int) -> Nearest:
        return Nearest(0, photo, 0.99, 3, 0.98, False, True)

    assert most_copied([copy(4), copy(4), copy(1)]) == 4
    assert most_copied([copy(4), copy(1), copy(2)]) is None
    assert most_copied([copy(4)]) is None
