"""Stacks of LoRAs, and LoRAs on a model."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from lora_train.errors import BadInputError
from lora_train.lora.apply import Weighted, applied
from lora_train.lora.file import Lora
from lora_train.lora.keys import Factors
from lora_train.lora.stack import StackItem, push, read_stack, to_list


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = torch.nn.Linear(3, 2)
        self.conv = torch.nn.Conv2d(3, 2, 1)


def _lora(layer: str = "lora_unet_lin", inputs: int = 3, alpha: float = 1.0) -> Lora:
    pair = Factors(torch.ones(1, inputs), torch.tensor([[1.0], [2.0]]), alpha)
    return Lora(Path("x.safetensors"), {layer: pair}, {})


def test_weights_carry_the_sum_and_come_back_exactly() -> None:
    model = Model()
    before = model.lin.weight.detach().clone()
    two = [Weighted(_lora(), 0.5), Weighted(_lora("unet.lin", alpha=2.0), -0.25)]
    with applied(two, unet=model):
        change = model.lin.weight - before
        torch.testing.assert_close(change, torch.zeros(2, 3), atol=1e-6, rtol=0)
    with applied([Weighted(_lora(), 2.0)], unet=model):
        torch.testing.assert_close(model.lin.weight - before, torch.tensor([[2.0] * 3, [4.0] * 3]))
    assert torch.equal(model.lin.weight, before)


def test_weights_come_back_after_an_error() -> None:
    model = Model()
    before = model.lin.weight.detach().clone()
    with pytest.raises(RuntimeError), applied([Weighted(_lora())], unet=model):
        raise RuntimeError
    assert torch.equal(model.lin.weight, before)


def test_text_encoder_layers_use_the_clip_strength_and_may_be_left_out() -> None:
    model = Model()
    before = model.lin.weight.detach().clone()
    lora = _lora("lora_te_text_model_lin")
    with applied([Weighted(lora, 1.0, 3.0)], unet=Model(), text_encoder=model):
        torch.testing.assert_close(model.lin.weight - before, torch.tensor([[3.0] * 3, [6.0] * 3]))
    with applied([Weighted(lora)], unet=model):
        assert torch.equal(model.lin.weight, before)


def test_convolutions() -> None:
    model = Model()
    before = model.conv.weight.detach().clone()
    with applied([Weighted(_lora("lora_unet_conv"))], unet=model):
        torch.testing.assert_close((model.conv.weight - before).flatten(1), torch.tensor([[1.0] * 3, [2.0] * 3]))


def test_a_lora_for_another_model_is_refused() -> None:
    with (
        pytest.raises(BadInputError, match="has no layer 'lora_unet_other'"),
        applied([Weighted(_lora("lora_unet_other"))], unet=Model()),
    ):
        pass
    with (
        pytest.raises(BadInputError, match="another size"),
        applied([Weighted(_lora(inputs=4))], unet=Model()),
    ):
        pass


def test_stack_reads_the_community_list() -> None:
    stack = read_stack([("a", 1, 0.5), ["b", 0.0, 0.0]])
    assert stack == (StackItem("a", 1.0, 0.5), StackItem("b", 0.0, 0.0))
    assert to_list(stack) == [("a", 1.0, 0.5)]
    assert read_stack(None) == read_stack([]) == ()


def test_stack_lists_every_bad_entry() -> None:
    with pytest.raises(BadInputError) as error:
        read_stack([("a", 1.0), ("", 1, 1), ("c", math.nan, 1), ("d", 50, 1), ("e", 1, 1), ("f", True, 1)])
    lines = str(error.value).splitlines()
    assert len(lines) == 5 and "Entry 4" in lines[3] and "-20 to 20" in lines[3]


def test_push_adds_on_top_or_replaces_in_place_and_changes_nothing_else() -> None:
    stack = read_stack([("a", 1, 1), ("b", 1, 1)])
    assert [item.name for item in push(stack, StackItem("c"))] == ["a", "b", "c"]
    replaced = push(stack, StackItem("a", 0.3, 0.2))
    assert replaced == (StackItem("a", 0.3, 0.2), StackItem("b"))
    assert len(stack) == 2
    with pytest.raises(BadInputError, match="strength 99"):
        push(stack, StackItem("x", 99.0))
