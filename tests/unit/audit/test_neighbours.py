"""Pairs are exact: the same as comparing everything with everything, whatever the block size."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from made_evidence import RNG, evidence, measured

from lora_train.audit import DEFAULT_LIMITS, EvidenceSet, judge
from lora_train.audit import neighbours as module
from lora_train.audit.neighbours import leaders, neighbours
from lora_train.dataset.hashes import distance


def near_set(count: int) -> EvidenceSet:
    """Photos of which every fourth repeats its predecessor with a few bits changed."""
    items, last = [], measured()
    for i in range(count):
        own = measured()
        if i % 4 == 3:
            flipped = last.phash ^ sum(1 << int(b) for b in RNG.choice(64, int(RNG.integers(0, 16)), replace=False))
            own = dataclasses.replace(own, phash_hex=f"{flipped:016x}", thumb_hex=last.thumb_hex)
        last = own
        items.append(dataclasses.replace(evidence(f"{i}.jpg", looked=False), measured=own))
    return EvidenceSet(tuple(items))


@pytest.mark.parametrize("block_rows", [1, 7, 64, 512])
def test_hash_neighbours_are_those_of_brute_force(block_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    found = near_set(90)
    near = found.near_copies(12)
    hashes = [(e.measured.phash, e.measured.mirror) for e in found.items]
    for i, (a, a_mirror) in enumerate(hashes):
        expected = [
            j for j, (b, b_mirror) in enumerate(hashes)
            if j != i and min(distance(a, b), distance(a, b_mirror), distance(a_mirror, b)) <= 12
        ]  # fmt: skip
        assert near.of(i).tolist() == expected


def test_a_group_is_alike_its_first_member_and_nobody_is_in_two() -> None:
    line = np.arange(12)

    def block(rows: slice) -> np.ndarray:
        return np.abs(line[rows, None] - line[None]) <= 2

    groups = leaders(neighbours(12, block), np.array([0, 1, 2, 3, 5, 6, 7, 11]))
    assert groups == [[0, 1, 2], [3, 5], [6, 7], [11]]


def test_both_relations_have_to_hold() -> None:
    everybody = neighbours(6, lambda rows: np.ones((rows.stop - rows.start, 6), bool))
    parity = neighbours(6, lambda rows: np.arange(6)[rows, None] % 2 == np.arange(6)[None] % 2)
    assert leaders(everybody, np.arange(6), parity) == [[0, 2, 4], [1, 3, 5]]


def test_duplicates_of_thousands_of_photos_in_seconds() -> None:
    one = near_set(250)
    items = []
    for copy in range(16):  # the same hashes shifted by a constant stay as far apart
        shift = int(RNG.integers(1, 2**63))
        for i, e in enumerate(one.items):
            m = dataclasses.replace(e.measured, pixels=f"{copy}-{i}", phash_hex=f"{e.measured.phash ^ shift:016x}",
                                    mirror_hex=f"{int(RNG.integers(1, 2**63)):016x}")  # fmt: skip
            items.append(dataclasses.replace(e, measured=m, photo=dataclasses.replace(
                e.photo, sha256=f"{copy}-{i}", path=e.photo.path.with_name(f"{copy}-{i}.jpg"))))  # fmt: skip
    found = EvidenceSet(tuple(items))
    started = time.process_time()
    near = found.near_copies(10)
    assert time.process_time() - started < 5  # 4,000 photos take some 0.1 s; 10,000 are in the benchmark
    pairs = {(i, j) for i in range(250) for j in near.of(i).tolist() if j < 250}
    alone = EvidenceSet(found.items[:250]).near_copies(10)
    assert pairs == {(i, j) for i in range(250) for j in alone.of(i).tolist()}
    assert len(pairs) > 50


def test_judging_again_gives_what_judging_anew_gives() -> None:
    found = near_set(120)
    judge(found, DEFAULT_LIMITS)
    for bits in (4, 10, 16):
        limits = DEFAULT_LIMITS.replace(duplicate_bits=bits)
        assert judge(found, limits) == judge(EvidenceSet(found.items), limits)
