"""LoCon, DoRA and rsLoRA: ComfyUI's output with the file is the output of the trained module."""

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
from lora_train.families.traits import SD15
from lora_train.lora.file import save_lora
from lora_train.training.adapter import add_lora
from lora_train.training.written import lora_tensors

SCRIPT = Path(__file__).with_name("apply_lora_in_comfyui.py")


@pytest.mark.comfy
@pytest.mark.parametrize("kind", ["locon", "dora", "rslora"])
def test_comfyui_gives_the_output_of_the_trained_model(comfyui: Installation, tmp_path: Path, kind: str) -> None:
    checkpoint = write_checkpoint(tmp_path / "base.safetensors", unet=random_unet(1))
    unet = random_unet(1).requires_grad_(False)
    adapter = add_lora(unet, STARTER.target_modules, 4, 10.0, 2, kind)  # type: ignore[arg-type]
    moved = torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.1
    adapter.restore(adapter.neutral() + moved)
    tensors = lora_tensors(adapter, None, SD15, unet, dtype=torch.float32)
    save_lora(tmp_path / "lora.safetensors", tensors, {})
    inputs = {
        "x": torch.randn(2, 4, 12, 12),
        "timesteps": torch.tensor([10.0, 700.0]),
        "context": torch.randn(2, 77, 768),
    }
    save_file(inputs, tmp_path / "inputs.safetensors")
    seen = _in_comfyui(comfyui, checkpoint, tmp_path)
    assert seen["model"] == "SD15" and seen["unused"] == [] and seen["patches"] == len(adapter.factors())
    assert (len(adapter.factors()) > 36) == (kind == "locon")
    with torch.no_grad():
        expected = unet(inputs["x"], inputs["timesteps"], inputs["context"]).sample
    outputs = load_file(tmp_path / "outputs.safetensors")
    assert float((expected - outputs["without"]).abs().max()) > 0.05
    torch.testing.assert_close(outputs["with"], expected, atol=2e-4, rtol=2e-4)


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
