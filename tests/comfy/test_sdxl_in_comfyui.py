"""SDXL inside ComfyUI from photos to pictures: a random checkpoint with a tiny UNet and whole text encoders."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from family_cases import CASES
from harness.comfyui import Server
from harness.graphs import pictures, training
from safetensors.torch import save_file

from lora_train.starter import render_demo

pytestmark = [pytest.mark.comfy, pytest.mark.slow]
NAME = "tiny_sdxl.safetensors"
SMALL = torch.float8_e4m3fn


def _tensor(*shape: int, scale: float = 0.02, ones: bool = False) -> torch.Tensor:
    value = torch.ones(shape) if ones else torch.randn(shape) * scale
    return value.to(torch.float16 if len(shape) == 1 else SMALL)


def _block(norm: str, width: int) -> dict[str, torch.Tensor]:
    return {f"{norm}.weight": _tensor(width, ones=True), f"{norm}.bias": _tensor(width)}


def _linear(name: str, rows: int, columns: int) -> dict[str, torch.Tensor]:
    return {f"{name}.weight": _tensor(rows, columns), f"{name}.bias": _tensor(rows)}


def clip_l() -> dict[str, torch.Tensor]:
    """CLIP-L's text model as SDXL checkpoints name it."""
    start = "conditioner.embedders.0.transformer.text_model."
    found = {
        "embeddings.token_embedding.weight": _tensor(49408, 768),
        "embeddings.position_embedding.weight": _tensor(77, 768),
        **_block("final_layer_norm", 768),
    }
    for i in range(12):
        layer = f"encoder.layers.{i}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= _linear(f"{layer}.self_attn.{part}", 768, 768)
        found |= _linear(f"{layer}.mlp.fc1", 3072, 768) | _linear(f"{layer}.mlp.fc2", 768, 3072)
        found |= _block(f"{layer}.layer_norm1", 768) | _block(f"{layer}.layer_norm2", 768)
    return {start + name: value for name, value in found.items()}


def clip_g() -> dict[str, torch.Tensor]:
    """CLIP-G's text model under open_clip's names."""
    start, width = "conditioner.embedders.1.model.", 1280
    found = {
        "token_embedding.weight": _tensor(49408, width),
        "positional_embedding": _tensor(77, width),
        "text_projection": _tensor(width, width),
        **_block("ln_final", width),
    }
    for i in range(32):
        layer = f"transformer.resblocks.{i}"
        found |= {f"{layer}.attn.in_proj_weight": _tensor(3 * width, width)}
        found |= {f"{layer}.attn.in_proj_bias": _tensor(3 * width)}
        found |= _linear(f"{layer}.attn.out_proj", width, width)
        found |= _linear(f"{layer}.mlp.c_fc", 4 * width, width) | _linear(f"{layer}.mlp.c_proj", width, 4 * width)
        found |= _block(f"{layer}.ln_1", width) | _block(f"{layer}.ln_2", width)
    return {start + name: value for name, value in found.items()}


@pytest.fixture(scope="module")
def checkpoint(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of 1 GB among those of the server."""
    from safetensors.torch import load_file

    small = load_file(CASES[0].write(tmp_path_factory.mktemp("sdxl")))
    unet = {name: value.half() for name, value in small.items()}
    folder = server.base / "models" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({**unet, **clip_l(), **clip_g()}, folder / NAME)
    return NAME


@pytest.fixture(scope="module")
def few_photos(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Each of their captions goes through both whole text encoders."""
    folder = server.base / "input" / "few_photos"
    folder.mkdir(parents=True)
    for photo in sorted(render_demo(tmp_path_factory.mktemp("demo")).parent.glob("good_*.jpg"))[:4]:
        shutil.copy(photo, folder)
    return folder.name


def _graph(checkpoint: str, photos: str, name: str) -> dict[str, Any]:
    graph = training(name, 3, checkpoint)
    graph["load"]["inputs"]["folder"] = photos
    graph["crop"]["inputs"]["resolution_px"] = 128
    return graph


def test_sdxl_is_trained_and_its_lora_used_in_full(server: Server, checkpoint: str, few_photos: str) -> None:
    graph = _graph(checkpoint, few_photos, "xl")
    outputs = server.run(graph, 900)
    assert outputs["train"]["lorasmith"][0]["title"] == "LoRA trained"
    path = server.base / "output" / "loras" / "xl.safetensors"
    header = _header(path)
    assert header["__metadata__"]["ss_base_model_version"] == "sdxl_base_v1-0"
    assert header["__metadata__"]["modelspec.architecture"] == "stable-diffusion-xl-v1-base/lora"
    assert sum(name.endswith(".alpha") for name in header) > 30
    images = server.run(graph | pictures(["train", 1], 1.0, count=1, steps=2), 900)["show"]["images"]
    assert len(images) == 1
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
