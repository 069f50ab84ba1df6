"""Every family in ComfyUI's own code: the same model, every key of the LoRA, and the same output with it."""

from __future__ import annotations

import json
import math
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from family_cases import CASES, Case
from harness.comfyui import Installation
from safetensors.torch import load_file, save_file

from lora_train.families.conditions import Conditions
from lora_train.families.traits import ask
from lora_train.lora.file import save_lora
from lora_train.lora.naming import to_tensors
from lora_train.training.adapter import add_lora

SCRIPT = Path(__file__).with_name("family_in_comfyui.py")
SHARES = (0.1, 0.7)
GUIDANCE = 3.0
DETECTED = {"sdxl": "Segmind_Vega", "zimage": "Lumina2"}
"""What ComfyUI takes the tiny model for where its size decides: a small SDXL, Z-Image's relative."""


@pytest.mark.comfy
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_comfyui_gives_the_output_of_the_trained_model(case: Case, comfyui: Installation, tmp_path: Path) -> None:
    case = replace(case, config={**case.config, **(case.comfy_size or {})})
    case.write(tmp_path).rename(tmp_path / "model.safetensors")
    base = case.family.load(tmp_path / "model.safetensors", parts=("unet",))
    adapter = add_lora(base.unet, case.family.target_modules, 4, 10.0, seed=2)
    adapter.restore(torch.randn(adapter.values.shape, generator=torch.Generator().manual_seed(3)) * 0.1)
    save_lora(tmp_path / "lora.safetensors", to_tensors(adapter.factors(), base.traits, dtype=torch.float32), {})
    told, x, times = case.told(6, 6), case.latents(2), case.times(*SHARES)
    save_file(_inputs(case, x, times, told), tmp_path / "inputs.safetensors")
    seen = _in_comfyui(comfyui, tmp_path, case)
    assert (seen["missing"], seen["unexpected"], seen["unknown"], seen["unused"]) == ([], [], [], [])
    assert seen["layers"] > 10
    assert seen["detected"] == DETECTED.get(case.id, case.comfy)
    with torch.no_grad():
        expected = ask(base.unet, base.traits, x, times, told, GUIDANCE)
        without = ask(case.model(), base.traits, x, times, told, GUIDANCE)
    outputs = load_file(tmp_path / "outputs.safetensors")
    assert float((expected - without).abs().max()) > 0.02
    torch.testing.assert_close(outputs["without"], without, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(outputs["with"], expected, atol=2e-3, rtol=2e-3)


def _inputs(case: Case, x: torch.Tensor, times: torch.Tensor, told: Conditions) -> dict[str, torch.Tensor]:
    """What ComfyUI's sampler hands to the model: SD 3.5's times go up to 1000, as SDXL's do."""
    inputs = {"x": x, "times": times.float() * (1000 if case.id == "sd35" else 1), "text": told.text}
    if case.id == "sdxl":
        inputs["pooled"] = torch.cat([told.pooled, _sizes(x).expand(len(x), -1)], dim=1)
    elif told.pooled is not None:
        inputs["pooled"] = told.pooled
    return inputs


def _sizes(x: torch.Tensor) -> torch.Tensor:
    """ComfyUI's vector of SDXL's sizes: height, width, crop and target, 256 sines and cosines each."""
    height, width = x.shape[-2] * 8, x.shape[-1] * 8
    numbers = torch.tensor([height, width, 0.0, 0.0, height, width])
    rates = torch.exp(-math.log(10000) * torch.arange(128) / 128)
    angles = numbers[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1).flatten()


def _in_comfyui(comfyui: Installation, folder: Path, case: Case) -> dict:
    """Run the script with ComfyUI's own Python; returns what it reports on its last line."""
    about = {"class": case.comfy, "unet_config": case.unet_config, "guidance": GUIDANCE}
    (folder / "case.json").write_text(json.dumps(about))
    done = subprocess.run(
        [str(comfyui.python), str(SCRIPT), str(comfyui.root), str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
