"""The saved file does what the LoRA in memory did: in diffusers' own loader, and in ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import random_unet

from lora_train.errors import LorasmithError
from lora_train.families.sd15 import STARTER
from lora_train.lora.apply import Weighted, applied
from lora_train.lora.file import read_lora, save_lora
from lora_train.lora.keys import to_kohya
from lora_train.training import loop
from lora_train.training.adapter import FlatAdapter, add_lora
from lora_train.training.verify import check_saved

from . import tiny


def _inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    make = torch.Generator().manual_seed(5)
    x, text = torch.randn(2, 4, 12, 12, generator=make), torch.randn(2, 77, 768, generator=make)
    return x, torch.tensor([10, 700]), text


def _with_lora(alpha: float) -> tuple[Any, FlatAdapter]:
    """The starter's UNet with a LoRA of rank 4 that changes its output well beyond rounding."""
    unet = random_unet(1).requires_grad_(False)
    adapter = add_lora(unet, STARTER.target_modules, 4, alpha, seed=2)
    adapter.restore(torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    return unet, adapter


@pytest.mark.parametrize("alpha", [4.0, 10.0])
def test_diffusers_and_our_loader_give_the_output_of_the_trained_model(tmp_path: Path, alpha: float) -> None:
    from diffusers import StableDiffusionPipeline

    trained, adapter = _with_lora(alpha)
    path = save_lora(tmp_path / "a.safetensors", to_kohya(adapter.factors(), dtype=torch.float32), {})
    plain, loaded = random_unet(1), random_unet(1)
    state, alphas = StableDiffusionPipeline.lora_state_dict(str(path))
    StableDiffusionPipeline.load_lora_into_unet(state, alphas, loaded)
    with torch.no_grad():
        expected = trained(*_inputs()).sample
        theirs = loaded(*_inputs()).sample
        without = plain(*_inputs()).sample
        with applied([Weighted(read_lora(path))], unet=plain):
            ours = plain(*_inputs()).sample
    assert float((expected - without).abs().max()) > 0.05
    torch.testing.assert_close(theirs, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)


def _saved(tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> tuple[loop.Run, Path]:
    run = tiny.run(tiny.plan(alpha=3.0))
    loop.fit(run, tiny.hooks())
    tensors = to_kohya(run.adapter.factors())
    change(tensors)
    return run, save_lora(tmp_path / "l.safetensors", tensors, {})


def test_the_last_check_accepts_the_right_file(tmp_path: Path) -> None:
    assert check_saved(*_saved(tmp_path, lambda tensors: None)) < 2e-3


def test_the_last_check_accepts_factors_near_fp16s_smallest_step(tmp_path: Path) -> None:
    run = tiny.run()
    run.adapter.restore(torch.randn_like(run.adapter.values) * 1e-7)
    path = save_lora(tmp_path / "l.safetensors", to_kohya(run.adapter.factors()), {})
    check_saved(run, path)


def _louder(tensors: dict[str, torch.Tensor]) -> None:
    for name in tensors:
        tensors[name] = tensors[name] * 1.05 if "lora_up" in name else tensors[name]


def _without_alpha(tensors: dict[str, torch.Tensor]) -> None:
    for name in [n for n in tensors if n.endswith(".alpha")]:
        del tensors[name]


def _swapped(tensors: dict[str, torch.Tensor]) -> None:
    names = [n for n in tensors if "attn1_to_q" in n or "attn1_to_k" in n]
    twins = {n: n.replace("to_q", "to_x").replace("to_k", "to_q").replace("to_x", "to_k") for n in names}
    old = {n: tensors[n] for n in names}
    tensors.update({n: old[twins[n]] for n in names})


def _incomplete(tensors: dict[str, torch.Tensor]) -> None:
    for name in [n for n in tensors if "proj_in" in n]:
        del tensors[name]


@pytest.mark.parametrize("change", [_louder, _without_alpha, _swapped, _incomplete])
def test_the_last_check_finds_a_wrong_file(tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    with pytest.raises(LorasmithError, match="is not the LoRA that was trained"):
        check_saved(*_saved(tmp_path, change))
