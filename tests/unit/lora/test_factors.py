"""Low-rank matrices through their factors, against the full matrices."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lora_train.lora.factors import (
    EXACT_RANK,
    balanced,
    estimated_squared_norm,
    inner,
    join_rows,
    singular_values,
    spectrum,
    squared_norm,
    stored,
)


def pair(out: int, rank: int, inputs: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(out, rank, generator=random), torch.randn(rank, inputs, generator=random)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 24), st.integers(1, 30), st.integers(1, 24), st.integers(0, 9))
def test_the_cut_is_the_best_there_is_for_every_shape_and_rank(out: int, rank: int, inputs: int, seed: int) -> None:
    up, down = pair(out, rank, inputs, seed)
    full = up.double() @ down.double()
    values = torch.linalg.svdvals(full)
    found = spectrum(up, down)
    size = float(full.norm())
    assert found.energy() == pytest.approx(size**2, rel=1e-5)
    alone = singular_values(up, down).double()[: len(values)]
    assert torch.allclose(alone, values[: len(alone)], atol=1e-5 * size)
    assert float(values[len(alone) :].norm()) <= 1e-5 * size
    for keep in {1, max(1, rank // 2), rank}:
        keep = min(keep, len(found.values))
        a, b = found.cut(keep)
        error = float((full - a.double() @ b.double()).norm())
        best = float(values[keep:].norm())
        assert error <= best + 1e-5 * size
        assert found.tail(keep) ** 0.5 == pytest.approx(best, abs=1e-5 * size)


def test_dead_and_equal_directions_do_no_harm() -> None:
    up, down = pair(20, 6, 30)
    up[:, 1:3] = 0
    down[4] = down[5]
    a, b = spectrum(up, down).cut(6)
    assert torch.allclose(a @ b, up @ down, atol=1e-4)
    assert a.abs().max() < 100, "a direction that is only rounding is not blown up"
    zero = spectrum(torch.zeros(5, 2), torch.zeros(2, 7))
    assert zero.energy() == 0 and all(m.isfinite().all() for m in zero.cut(1))


def test_norms_and_inner_products_without_the_full_matrix() -> None:
    (u, v), (x, y) = pair(20, 3, 30), pair(20, 5, 30, seed=1)
    assert squared_norm(u, v) == pytest.approx(float((u @ v).square().sum()), rel=1e-5)
    assert inner(u, v, x, y) == pytest.approx(float(((u @ v) * (x @ y)).sum()), rel=1e-4)
    a, b = join_rows([(u, v), (x, y)])
    assert torch.allclose(a @ b, u @ v + x @ y, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_rounding_error_that_is_told_is_the_one_that_is_made(dtype: torch.dtype) -> None:
    up, down = pair(40, 4, 50)
    up *= 1e-6  # in fp16 alone this would be lost
    a, b, error = stored(up, down, dtype)
    made = float((a.double() @ b.double() - up.double() @ down.double()).norm())
    size = float((up @ down).norm())
    assert a.dtype == b.dtype == dtype and made / size < 0.01
    assert error**0.5 == pytest.approx(made, rel=0.02, abs=1e-6 * size)


def test_balancing_changes_no_number() -> None:
    up, down = pair(4, 2, 5)
    a, b = balanced(up * 1e-4, down)
    assert torch.equal(a @ b, (up * 1e-4) @ down)
    assert 0.25 < float(a.abs().max() / b.abs().max()) < 4


@pytest.mark.parametrize("rank", [100, 300])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_an_estimated_norm_is_near_the_exact_one(rank: int, decay: float) -> None:
    scale = torch.arange(1, rank + 1.0) ** -decay
    up, down = pair(400, rank, 500)
    up, other = up * scale, pair(400, 3, 500, 1)
    assert estimated_squared_norm((up, down)) == pytest.approx(squared_norm(up, down), rel=0.25)
    both = torch.cat([up, other[0]], 1), torch.cat([down, other[1]])
    assert estimated_squared_norm((up, down), other) == pytest.approx(squared_norm(*both), rel=0.25)


def test_rounding_of_a_large_rank_is_told_as_that_of_a_small_one() -> None:
    up, down = pair(300, 2 * EXACT_RANK, 400)
    new_up, new_down, error = stored(up, down, torch.float16)
    true = (up @ down - new_up.float() @ new_down.float()).double().square().sum()
    assert error == pytest.approx(float(true), rel=0.1)
