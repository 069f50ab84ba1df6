"""The short ways through LoRA layers and wide convolutions give what peft and torch give."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model

from lora_train.errors import BadInputError
from lora_train.training import loop
from lora_train.training.lowrank import quicken_lora
from lora_train.training.quick import compile_blocks
from lora_train.training.small_convs import MAX_PIXELS, quicken_convs

from . import tiny


class Layers(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.line = torch.nn.Linear(12, 20)
        self.point = torch.nn.Conv2d(20, 12, 1)
        self.wide = torch.nn.Conv2d(12, 12, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, h, w, 12) -> (n, 12, h, w)."""
        return self.wide(self.point(self.line(x).permute(0, 3, 1, 2)))


def with_lora(targets: list[str], **options: Any) -> Any:
    torch.manual_seed(3)
    model = Layers().requires_grad_(False)
    config = LoraConfig(r=4, lora_alpha=6, target_modules=targets, init_lora_weights=False, **options)
    return inject_adapter_in_model(config, model)


def learned(model: Any, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    """Output, gradient of the input, gradients of all factors."""
    x = torch.randn(2, 5, 4, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype != torch.float32):
        y = model(x)
    model.zero_grad()
    (y.float() * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    factors = [p.grad for p in model.parameters() if p.requires_grad]
    assert len(factors) >= 2
    return [y, x.grad, *factors]  # type: ignore[list-item]


@pytest.mark.parametrize("targets", [["line"], ["point"], ["line", "point"]])
def test_the_short_way_is_pefts_in_fp32(targets: list[str]) -> None:
    model = with_lora(targets)
    expected = learned(model)
    assert quicken_lora(model) == len(targets)
    for ours, peft in zip(learned(model), expected, strict=True):
        torch.testing.assert_close(ours, peft, rtol=1e-5, atol=1e-5)


def test_in_bf16_it_is_as_close_to_the_truth_as_peft() -> None:
    model = with_lora(["line", "point"])
    truth = learned(model)
    peft = learned(model, torch.bfloat16)
    quicken_lora(model)
    ours = learned(model, torch.bfloat16)
    for exact, theirs, mine in zip(truth, peft, ours, strict=True):
        assert mine.dtype == theirs.dtype
        error, allowed = (mine.float() - exact).norm(), (theirs.float() - exact).norm()
        assert error <= 1.25 * allowed + 1e-6


@pytest.mark.parametrize("options", [{"use_dora": True}, {"lora_dropout": 0.5}, {"lora_bias": True}])
def test_other_kinds_of_layers_stay_pefts(options: dict[str, Any]) -> None:
    assert quicken_lora(with_lora(["line"], **options)) == 0


def test_a_switched_off_adapter_is_off() -> None:
    model = with_lora(["line"])
    quicken_lora(model)
    x = torch.randn(1, 2, 2, 12)
    model.line.enable_adapters(False)
    assert torch.equal(model.line(x), model.line.base_layer(x))
    model.line.enable_adapters(True)
    assert not torch.equal(model.line(x), model.line.base_layer(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [(1, 8, 8), (2, 4, 4), (1, 3, 5)])
def test_a_small_convolution_is_the_usual_one(dtype: torch.dtype, size: tuple[int, int, int]) -> None:
    n, height, width = size
    conv = torch.nn.Conv2d(6, 10, 3, padding=1).requires_grad_(False).to(dtype)
    x = torch.randn(n, 6, height, width).to(dtype).requires_grad_()
    expected = conv(x)
    expected.sum().backward()
    gradient, x.grad = x.grad, None
    assert quicken_convs(conv, min_weights=1) == 1
    ours = conv(x)
    ours.sum().backward()
    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
    torch.testing.assert_close(ours, expected, **near)
    torch.testing.assert_close(x.grad, gradient, **near)


def test_large_pictures_and_trained_weights_go_the_usual_way() -> None:
    conv = torch.nn.Conv2d(6, 10, 3, padding=1)
    assert quicken_convs(conv, min_weights=1) == 0  # it is trained
    conv.requires_grad_(False)
    assert quicken_convs(conv) == 0  # few weights
    x = torch.randn(1, 6, 9, 9)
    assert x.shape[-1] ** 2 > MAX_PIXELS
    expected = conv(x)
    quicken_convs(conv, min_weights=1)
    assert torch.equal(conv(x), expected)


def test_a_step_of_the_loop_is_the_same() -> None:
    from lora_train.training import loop

    plain, quick = tiny.run(), tiny.run()
    quicken_lora(quick.unet)
    quicken_convs(quick.unet, min_weights=1)
    for _ in range(3):
        for run in (plain, quick):
            loop.train_step(run)
            run.step += 1
    torch.testing.assert_close(quick.adapter.values, plain.adapter.values, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_compiled_blocks_train_the_same() -> None:
    plain, compiled = (tiny.run(tiny.plan(steps=3, compile=on)) for on in (False, True))
    for run in (plain, compiled):
        loop.fit(run, tiny.hooks())
    assert compiled.losses == pytest.approx(plain.losses, rel=1e-4)
    assert torch.allclose(plain.adapter.values, compiled.adapter.values, atol=1e-4)


def test_a_model_without_repeated_blocks_cannot_be_compiled() -> None:
    with pytest.raises(BadInputError, match="names no repeated blocks"):
        compile_blocks(torch.nn.Linear(2, 2))
