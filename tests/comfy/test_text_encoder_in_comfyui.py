"""A trained text encoder: ComfyUI reads every key of it, and its CLIP says what the trained one says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from harness.comfyui import Installation
from safetensors.torch import load_file
from tiny_models import REAL_CLIP, random_clip, random_unet, write_checkpoint

from lora_train.families.sd15 import STARTER
from lora_train.families.traits import SD15
from lora_train.lora.file import save_lora
from lora_train.training.adapter import add_lora
from lora_train.training.written import lora_tensors

SCRIPT = Path(__file__).with_name("text_in_comfyui.py")
TEXT = "photo of ohwx person, on a beach"


@pytest.mark.comfy
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_comfyui_hears_the_trained_text_encoder(comfyui: Installation, tmp_path: Path, kind: str) -> None:
    clip = random_clip(2, **REAL_CLIP)
    path = write_checkpoint(tmp_path / "base.safetensors", unet=random_unet(1), clip=clip, half=True)
    base = STARTER.load(path, parts=("unet", "text_encoder"))
    without = base.embed_texts([TEXT]).text
    adapter = add_lora(base.unet, STARTER.target_modules, 4, 8.0, 2, kind, base.text_encoder)  # type: ignore[arg-type]
    moved = torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.05
    adapter.restore(adapter.neutral() + moved)
    tensors = lora_tensors(adapter, None, SD15, base.unet, base.text_encoder, dtype=torch.float32)
    save_lora(tmp_path / "lora.safetensors", tensors, {})
    done = subprocess.run(
        [str(comfyui.python), str(SCRIPT), str(comfyui.root), str(path), str(tmp_path), TEXT],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert (seen["unet"], seen["text"], seen["unused"]) == (36, 72, [])
    outputs = load_file(tmp_path / "outputs.safetensors")
    expected = base.embed_texts([TEXT]).text
    assert float((expected - without).abs().max()) > 0.05
    torch.testing.assert_close(outputs["without"], without, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(outputs["with"], expected, atol=5e-3, rtol=5e-3)
