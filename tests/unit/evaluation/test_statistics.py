"""Intervals that are as wide as so few pictures deserve."""

from __future__ import annotations

import numpy as np
import pytest
from written_embedder import unit

from lora_train.evaluation.similarity import group_ids, mean_pairwise
from lora_train.evaluation.statistics import Estimate, jackknife, wilson


def test_jackknife_of_the_mean_is_the_textbook_error() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = jackknife(lambda kept: float(values[kept].mean()), 4)
    assert found.value == 4.0
    assert found.se == pytest.approx(values.std(ddof=1) / 2)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(3, 3, 0.526, 1.0), (8, 8, 0.747, 1.0), (0, 4, 0.0, 0.403), (5, 10, 0.269, 0.731), (0, 0, 0.0, 1.0)],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=2e-3)


def test_wilson_95_of_the_research_notes() -> None:
    assert wilson(3, 3, z=1.96)[0] == pytest.approx(0.44, abs=5e-3)
    assert wilson(8, 8, z=1.96)[0] == pytest.approx(0.68, abs=5e-3)


def test_interval_uses_students_t() -> None:
    assert Estimate(1.0, 0.1, 4).interval() == pytest.approx((0.7647, 1.2353))
    assert Estimate(1.0, 0.1, 500).interval() == pytest.approx((0.8355, 1.1645))


def test_ratio_error_adds_relative_errors() -> None:
    ratio = Estimate(2.0, 0.2, 8).over(Estimate(4.0, 0.4, 6))
    assert (ratio.value, ratio.n) == (0.5, 6)
    assert ratio.se == pytest.approx(0.5 * np.hypot(0.1, 0.1))


def test_mean_pairwise_of_known_angles() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    found = mean_pairwise(rows)
    assert found.value == pytest.approx((0 + 0.6 + 0.8) / 3)
    left_out = np.array([0.8, 0.6, 0.0])  # the pair that stays when one is left out
    assert found.se == pytest.approx(np.sqrt(2 / 3 * ((left_out - left_out.mean()) ** 2).sum()))


def test_pictures_of_other_prompts_are_never_paired() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert mean_pairwise(rows).value == pytest.approx(1 / 3)
    assert mean_pairwise(rows, group_ids(["a", "a", "b", "b"], 4)).value == pytest.approx(1)
    assert np.isnan(mean_pairwise(rows, group_ids(list("abcd"), 4)).value)


def test_how_groups_differ_is_no_error() -> None:
    values = np.array([1.0, 1.0, 1.0, 9.0, 9.0, 9.0])
    groups = group_ids(list("aaabbb"), 6)

    def mean_of_means(kept: np.ndarray) -> float:
        return float(np.mean([values[kept][groups[kept] == g].mean() for g in (0, 1)]))

    assert jackknife(mean_of_means, 6, groups).se == 0
    found = jackknife(mean_of_means, 6, groups)
    assert (found.value, found.strata) == (5.0, 2)
    rough = Estimate(1.0, 0.1, 6, strata=2).interval()
    assert rough[1] - rough[0] == pytest.approx(2 * 2.132 * 0.1)


def test_stratified_jackknife_of_group_means() -> None:
    values = np.array([1.0, 2.0, 6.0, 10.0, 11.0, 18.0])
    groups = group_ids(list("aaabbb"), 6)

    def mean_of_means(kept: np.ndarray) -> float:
        return float(np.mean([values[kept][groups[kept] == g].mean() for g in (0, 1)]))

    expected = np.sqrt(sum(values[groups == g].var(ddof=1) / 3 for g in (0, 1))) / 2
    assert jackknife(mean_of_means, 6, groups).se == pytest.approx(expected)


def test_jackknife_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = 1 / (1 + 0.25)  # rows = common + noise of variance .25 spread over many dimensions
    hits = 0
    for _ in range(200):
        noise = rng.normal(size=(8, 400)) * np.sqrt(0.25 / 400)
        noise[:, 0] += 1
        low, high = mean_pairwise(unit(noise)).interval()
        hits += low <= truth <= high
    assert hits >= 0.8 * 200
