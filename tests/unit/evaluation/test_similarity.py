"""Mean similarity within prompts, and its jackknife in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_embedder import unit

from lora_train.evaluation.similarity import mean_pairwise, within_groups, within_groups_left_out
from lora_train.evaluation.variety import ratio_to_base


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 14), st.integers(1, 4), st.integers(0, 2**31))
def test_leaving_out_in_closed_form_is_leaving_out(n: int, kinds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, groups = unit(rng.normal(size=(n, 5))), rng.integers(0, kinds, n)
    cosines = rows @ rows.T
    slow = [within_groups(np.delete(np.delete(cosines, i, 0), i, 1), np.delete(groups, i)) for i in range(n)]
    assert np.allclose(within_groups_left_out(cosines, groups), slow, equal_nan=True)


def test_pairs_of_two_prompts_are_never_compared() -> None:
    rows = unit(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert mean_pairwise(rows, np.array([0, 0, 1, 1])).value == pytest.approx(1)
    assert mean_pairwise(rows).value == pytest.approx(1 / 3)


def test_a_prompt_with_many_pictures_says_more_than_one_with_two() -> None:
    alike, opposite = np.tile([1.0, 0.0], (4, 1)), np.array([[0.0, 1.0], [0.0, -1.0]])
    found = mean_pairwise(np.concatenate([alike, opposite]), np.array([0] * 4 + [1] * 2))
    assert found.value == pytest.approx((6 * 1 + 1 * -1) / 7)  # six pairs of one kind, one of the other


def test_a_thousand_pictures_are_a_matter_of_one_table() -> None:
    rows = unit(np.random.default_rng(0).normal(size=(1000, 16)))
    found = mean_pairwise(rows)
    assert abs(found.value) < 0.01 and 0 < found.se < 0.01 and found.n == 1000


def test_ratio_is_one_against_itself_and_half_for_half_the_difference() -> None:
    rng, groups = np.random.default_rng(1), np.zeros(8, int)
    base = unit(rng.normal(size=(8, 32)))
    same = ratio_to_base(base, groups, base, groups)
    assert same is not None and same.value == pytest.approx(1) and same.se == pytest.approx(0, abs=1e-9)
    alike = unit(base + 3 * base.mean(axis=0) / np.linalg.norm(base.mean(axis=0)))
    found = ratio_to_base(alike, groups, base, groups)
    assert found is not None and 0 < found.value < 0.3
    assert ratio_to_base(base, groups, np.ones((8, 32)) / np.sqrt(32), groups) is None
