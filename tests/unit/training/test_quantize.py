"""A base in 8 bits: rounded where it pays, trained and sampled as the whole one within its rounding."""

from __future__ import annotations

import sys

import pytest
import torch

from lora_train.errors import BadInputError
from lora_train.families.registry import detect
from lora_train.starter import starter_checkpoint
from lora_train.training import loop
from lora_train.training.adapter import add_lora
from lora_train.training.norms import relative_change
from lora_train.training.quantize import dense, load_quantized, quantize
from lora_train.training.written import lora_tensors

from . import tiny

INPUTS = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 7, tiny.WIDTH)


def test_without_the_package_the_next_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.unet()
    monkeypatch.setitem(sys.modules, "torchao.quantization", None)
    with pytest.raises(BadInputError, match="pip install torchao"):
        quantize(model, "cpu")


def test_dora_needs_the_rows_as_they_are() -> None:
    with pytest.raises(BadInputError, match="set quantize to none"):
        tiny.plan(adapter="dora", quantize="int8")


def test_wide_linear_layers_are_rounded_and_nothing_else() -> None:
    pytest.importorskip("torchao")
    model, whole = tiny.unet(), tiny.unet()
    linear = [n for n, m in model.named_modules() if type(m) is torch.nn.Linear and m.weight.numel() >= 1000]
    assert quantize(model, "cpu", min_weights=1000) == len(linear) > 10
    for name, layer in model.named_modules():
        if not hasattr(layer, "weight") or layer.weight is None:
            continue
        before = whole.get_submodule(name).weight
        if name in linear:
            step = before.abs().amax(dim=1, keepdim=True) / 127
            assert ((dense(layer.weight) - before).abs() <= 0.51 * step).all(), name
        else:
            assert torch.equal(dense(layer.weight), before), name


def test_it_trains_as_the_whole_base_does() -> None:
    pytest.importorskip("torchao")
    runs = []
    for rounded in (False, True):
        plan, model = tiny.plan(steps=12, learning_rate=3e-3), tiny.unet()
        if rounded:
            quantize(model, "cpu", min_weights=1)
        adapter = add_lora(model, tiny.TARGETS, plan.rank, plan.alpha, plan.seed)
        runs.append(loop.setup(model, adapter, tiny.data(), plan, "cpu", torch.float32))
        loop.fit(runs[-1], tiny.hooks())
    whole, rounded = runs
    assert rounded.losses == pytest.approx(whole.losses, rel=0.02)
    moved = rounded.adapter.values - add_lora(tiny.unet(), tiny.TARGETS, 2, 2.0, 7).values
    apart = (rounded.adapter.values - whole.adapter.values).norm()
    assert apart < 0.25 * moved.norm()
    assert relative_change(rounded) == pytest.approx(relative_change(whole), rel=0.05)


def test_its_lora_works_on_the_whole_base() -> None:
    pytest.importorskip("torchao")
    model = tiny.unet()
    quantize(model, "cpu", min_weights=1)
    plan = tiny.plan(steps=8)
    run = loop.setup(model, add_lora(model, tiny.TARGETS, 2, 2.0, 7), tiny.data(), plan, "cpu", torch.float32)
    loop.fit(run, tiny.hooks())
    whole = tiny.unet()
    other = add_lora(whole, tiny.TARGETS, 2, 2.0, 7)
    other.restore(run.adapter.snapshot())
    with torch.no_grad():
        ours, theirs, plain = (m(*INPUTS).sample for m in (model, whole, tiny.unet()))
    assert (ours - theirs).norm() < 0.05 * theirs.norm() < (theirs - plain).norm()
    assert lora_tensors(run.adapter, None, run.traits, model)


def test_the_starter_in_8_bits() -> None:
    pytest.importorskip("torchao")
    family, path = detect(starter_checkpoint()), starter_checkpoint()
    whole = family.load(path, "cpu", torch.float32, ("unet",))
    rounded = load_quantized(family, path, "cpu", torch.float32, ("unet", "text_encoder"))
    assert rounded.text_encoder is not None and rounded.vae is None
    x, words = torch.randn(1, 4, 12, 12), rounded.embed_texts(["photo of a person"]).text
    with torch.no_grad():
        expected, found = (b.unet(x, torch.tensor([500]), words).sample for b in (whole, rounded))
    assert 0 < (found - expected).norm() < 0.03 * expected.norm()
