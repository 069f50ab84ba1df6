"""The saved file does what the LoRA in memory did: in diffusers' own loader, and in ours."""

from __future__ import annotations

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
from lora_train.training import loop, verify
from lora_train.training.adapter import FlatAdapter, add_lora

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


def test_the_last_check_of_a_training_finds_a_wrong_file(tmp_path: Path) -> None:
    run = tiny.run()
    loop.fit(run, tiny.hooks())
    good = to_kohya(run.adapter.factors())
    wrong = {n: v * 30 if "lora_up" in n else v for n, v in good.items()}
    path = save_lora(tmp_path / "wrong.safetensors", wrong, {})
    with pytest.raises(LorasmithError, match="its output differs by"):
        verify.check_output(run, path)


def test_the_last_check_accepts_the_right_file(tmp_path: Path) -> None:
    run = tiny.run()
    loop.fit(run, tiny.hooks())
    path = save_lora(tmp_path / "good.safetensors", to_kohya(run.adapter.factors()), {})
    assert verify.check_output(run, path) < 1e-3
