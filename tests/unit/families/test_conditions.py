"""Texts of different lengths: padded when they are kept, whole and alone when the model sees them."""

from __future__ import annotations

from typing import Any

import torch

from lora_train.families.conditions import Conditions
from lora_train.families.traits import Traits, ask


def _told(*lengths: int) -> Conditions:
    parts = [Conditions.of(torch.full((1, n, 2), float(n)), torch.full((1, 3), float(n))) for n in lengths]
    return Conditions.join(parts)


def test_rows_are_padded_to_the_longest_and_remember_their_length() -> None:
    told = _told(2, 5, 3)
    assert told.text.shape == (3, 5, 2) and told.lengths == (2, 5, 3) and len(told) == 3
    assert told.text[0, 2:].abs().sum() == 0
    chosen = told.rows([2, 0])
    assert chosen.lengths == (3, 2) and chosen.pooled is not None and chosen.pooled[:, 0].tolist() == [3.0, 2.0]
    assert told.rows([1]).repeat(2).lengths == (5, 5)


def test_one_text_without_a_vector_leaves_all_without() -> None:
    joined = Conditions.join([_told(2), Conditions.of(torch.zeros(1, 2, 2))])
    assert joined.pooled is None


def test_the_model_never_sees_padding_and_answers_come_back_in_order() -> None:
    seen: list[tuple[int, ...]] = []

    def call(model: Any, noisy: torch.Tensor, times: torch.Tensor, told: Conditions, guidance: float) -> torch.Tensor:
        assert told.text.shape[1] == told.lengths[0] and len(set(told.lengths)) == 1
        seen.append(told.lengths)
        return noisy + times.view(-1, 1, 1, 1) + told.text[:, -1, :1, None, None]

    told, noisy = _told(2, 5, 2), torch.randn(3, 4, 2, 2)
    times = torch.tensor([10.0, 20.0, 30.0])
    answer = ask(None, Traits(call=call), noisy, times, told)
    torch.testing.assert_close(answer, noisy + torch.tensor([12.0, 25.0, 32.0]).view(-1, 1, 1, 1))
    assert sorted(seen) == [(2, 2), (5,)]
