"""The saved LoRA in ComfyUI's own code gives the UNet output of diffusers and peft, to 1e-4."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from harness.comfyui import Installation
from safetensors.torch import load_file, save_file
from tiny_models import random_unet, write_checkpoint

from lora_train.families.sd15 import STARTER
from lora_train.lora.file import save_lora
from lora_train.lora.keys import to_kohya
from lora_train.training.adapter import add_lora

SCRIPT = Path(__file__).with_name("apply_lora_in_comfyui.py")
RANK = 4


@pytest.mark.comfy
@pytest.mark.parametrize("alpha", [4.0, 10.0])
def test_comfyui_gives_the_output_of_the_trained_model(comfyui: Installation, tmp_path: Path, alpha: float) -> None:
    checkpoint = write_checkpoint(tmp_path / "base.safetensors", unet=random_unet(1))
    unet = random_unet(1).requires_grad_(False)
    adapter = add_lora(unet, STARTER.target_modules, RANK, alpha, seed=2)
    adapter.restore(torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    save_lora(tmp_path / "lora.safetensors", to_kohya(adapter.factors(), dtype=torch.float32), {})
    inputs = {
        "x": torch.randn(2, 4, 12, 12),
        "timesteps": torch.tensor([10.0, 700.0]),
        "context": torch.randn(2, 77, 768),
    }
    save_file(inputs, tmp_path / "inputs.safetensors")
    seen = _in_comfyui(comfyui, checkpoint, tmp_path)
    assert seen["model"] == "SD15" and seen["unused"] == [] and seen["patches"] == 36
    with torch.no_grad():
        expected = unet(inputs["x"], inputs["timesteps"], inputs["context"]).sample
        without = random_unet(1)(inputs["x"], inputs["timesteps"], inputs["context"]).sample
    outputs = load_file(tmp_path / "outputs.safetensors")
    assert float((expected - without).abs().max()) > 0.05
    torch.testing.assert_close(outputs["without"], without, atol=1e-4, rtol=0)
    torch.testing.assert_close(outputs["with"], expected, atol=1e-4, rtol=0)


def _in_comfyui(comfyui: Installation, checkpoint: Path, folder: Path) -> dict:
    """Run the script with ComfyUI's own Python; returns what it reports on its last line."""
    done = subprocess.run(
        [str(comfyui.python), str(SCRIPT), str(comfyui.root), str(checkpoint), str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
