"""The Vendi score against the published formula and known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_embedder import unit

from lora_train.evaluation.vendi import rescaled_kernel, vendi, vendi_of

# score_K of the package vendi-score 0.0.3 (exp of the Shannon entropy of eigvalsh(K / n)).
EQUAL = [
    (4, 0.2, 3.7892914162759954), (4, 0.5, 2.9257265599673183), (4, 0.8, 1.799485752639783),
    (8, 0.2, 7.192230933248642), (8, 0.5, 4.64898956198259), (8, 0.8, 2.235043555743579),
    (20, 0.2, 16.262365158655427), (20, 0.5, 8.089000487550935), (20, 0.8, 2.845293912571754),
    (30, 0.2, 23.086759450882298), (30, 0.5, 10.176873477218306), (30, 0.8, 3.1331250363836824),
]  # fmt: skip


@pytest.mark.parametrize(("n", "k", "expected"), EQUAL)
def test_equal_similarities(n: int, k: float, expected: float) -> None:
    assert vendi(np.full((n, n), k) + (1 - k) * np.eye(n)) == pytest.approx(expected, rel=1e-9)


def test_paper_example_three_pairs() -> None:
    samples = np.array([0, 0, 10, 10, 20, 20])
    assert vendi(np.exp(-np.abs(samples[:, None] - samples[None, :]))) == pytest.approx(2.999999995877713)


def test_unequal_similarities() -> None:
    kernel = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    assert vendi(kernel) == pytest.approx(2.124978952560008, rel=1e-9)


def test_ends_of_the_scale() -> None:
    assert vendi(np.ones((5, 5))) == pytest.approx(1)
    assert vendi(np.eye(5)) == pytest.approx(5)
    assert vendi(np.zeros((0, 0))) == 0


def test_rescaling_maps_unrelated_to_zero_and_equal_to_one() -> None:
    rows = unit(np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]]))
    kernel = rescaled_kernel(rows, 0.6)
    assert kernel[0, 1] == pytest.approx(0, abs=1e-9)
    assert kernel[0, 2] == pytest.approx(1)
    assert vendi_of(rows, 0.6) > vendi_of(rows, 0.0)


def test_indefinite_kernel_stays_in_range() -> None:
    kernel = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], float)  # smallest eigenvalue is negative
    assert np.linalg.eigvalsh(kernel)[0] < -0.1
    assert 1 <= vendi(kernel) <= 3


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**31))
def test_between_one_and_n_and_blind_to_order(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = unit(rng.normal(size=(n, 4)))
    score = vendi_of(rows, 0.2)
    assert 1 - 1e-9 <= score <= n + 1e-9
    assert vendi_of(rows[rng.permutation(n)], 0.2) == pytest.approx(score, rel=1e-6)
    assert vendi_of(np.concatenate([rows, rows]), 0.2) == pytest.approx(score, rel=1e-6)
