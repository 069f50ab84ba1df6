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


def _acts(model: Model) -> torch.Tensor:
    """The matrix (2, 3) that the linear layer multiplies with, measured from outside."""
    with torch.no_grad():
        return (model.lin(torch.eye(3)) - model.lin.bias).T


def test_layers_act_as_the_sum_and_weights_are_never_touched() -> None:
    model = Model()
    before, weight = _acts(model), model.lin.weight.detach().clone()
    two = [Weighted(_lora(), 0.5), Weighted(_lora("unet.lin", alpha=2.0), -0.25)]
    with applied(two, unet=model):
        torch.testing.assert_close(_acts(model), before)
    with applied([Weighted(_lora(), 2.0)], unet=model):
        torch.testing.assert_close(_acts(model) - before, torch.tensor([[2.0] * 3, [4.0] * 3]))
        assert torch.equal(model.lin.weight, weight)
    assert torch.equal(_acts(model), before)


def test_the_model_is_free_again_after_an_error() -> None:
    model = Model()
    before = _acts(model)
    with pytest.raises(RuntimeError), applied([Weighted(_lora())], unet=model):
        raise RuntimeError
    assert torch.equal(_acts(model), before)


def test_small_changes_of_many_weights_survive_a_bf16_model() -> None:
    # 0.1 % of a weight of 1: added to it in bf16, it would be rounded away.
    model = torch.nn.Module()
    model.lin = torch.nn.Linear(64, 1, bias=False).to(torch.bfloat16)
    torch.nn.init.ones_(model.lin.weight)
    turns = torch.tensor([[1.0, -1.0] * 32])
    pair = Factors(0.001 * turns, torch.ones(1, 1), 1.0)
    assert torch.equal(model.lin.weight + pair.delta().bfloat16(), model.lin.weight)
    x = turns.bfloat16()  # W x = 0, delta x = 0.064
    with torch.no_grad(), applied([Weighted(Lora(Path("x"), {"lora_unet_lin": pair}, {}))], unet=model):
        assert float(model.lin(x)) == pytest.approx(0.064, rel=0.01)


def test_text_encoder_layers_use_the_clip_strength_and_may_be_left_out() -> None:
    model = Model()
    before = _acts(model)
    lora = _lora("lora_te_text_model_lin")
    with applied([Weighted(lora, 1.0, 3.0)], unet=Model(), text_encoder=model):
        torch.testing.assert_close(_acts(model) - before, torch.tensor([[3.0] * 3, [6.0] * 3]))
    with applied([Weighted(lora)], unet=model):
        assert torch.equal(_acts(model), before)


def test_convolutions_of_any_size_act_as_their_merged_weight() -> None:
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.conv = torch.nn.Conv2d(3, 2, 3, stride=2, padding=1)
    pair = Factors(torch.randn(4, 3, 3, 3), torch.randn(2, 4, 1, 1), 2.0)
    x = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        with applied([Weighted(Lora(Path("x"), {"lora_unet_conv": pair}, {}), 0.7)], unet=model):
            side = model.conv(x)
        model.conv.weight += 0.7 * pair.delta()
        torch.testing.assert_close(side, model.conv(x), atol=1e-5, rtol=1e-5)


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
