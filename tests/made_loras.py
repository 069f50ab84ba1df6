"""Small LoRA files in every form of names, with the changes they make known."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from lora_train.lora.derive import Layer, to_tensors
from lora_train.lora.places import Form

SDXL = {
    "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q": (12, 10),
    "unet.input_blocks.4.1.transformer_blocks.1.attn2.to_k": (2048, 10),
    "unet.middle_block.1.transformer_blocks.9.ff.net.0.proj": (10, 40),
    "te1.text_model.encoder.layers.3.self_attn.q_proj": (8, 8),
}
SDXL_CONV = {"unet.input_blocks.2.0.in_layers.2": (6, 9)}


def deltas(path: Path) -> dict[str, torch.Tensor]:
    """What a file changes at strength 1, by place, in fp64, flattened to (out, in)."""
    from lora_train.lora.reader import open_lora

    with open_lora(path) as file:
        pairs = {place: file.factors(entry) for place, entry in file.places.items()}
    return {p: pair.up.double().flatten(1) @ pair.down.double().flatten(1) * pair.scale for p, pair in pairs.items()}


def distance(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> float:
    """Relative Frobenius distance over all places; a place that one lacks counts as zeros there."""
    lost = sum(float((a.get(p, 0 * b.get(p, 0)) - b.get(p, 0 * a.get(p, 0))).square().sum()) for p in {*a, *b})
    return (lost / sum(float(m.square().sum()) for m in a.values())) ** 0.5


def make(
    path: Path,
    seed: int = 0,
    rank: int = 4,
    *,
    alpha: float | None = 2.0,
    form: Form = "kohya",
    dtype: torch.dtype = torch.float32,
    layers: dict[str, tuple[int, int]] = SDXL,
    conv: bool = True,
    metadata: dict[str, str] | None = None,
) -> Path:
    """A random LoRA. ``layers``: place -> (inputs, outputs)."""
    random = torch.Generator().manual_seed(seed)
    made: dict[str, Layer] = {}
    for place, (inputs, outputs) in layers.items():
        down, up = torch.randn(rank, inputs, generator=random), torch.randn(outputs, rank, generator=random)
        made[place] = Layer(up.to(dtype), down.to(dtype), alpha)
    for place, (inputs, outputs) in SDXL_CONV.items() if conv else ():
        down = torch.randn(rank, inputs, 3, 3, generator=random)
        up = torch.randn(outputs, rank, 1, 1, generator=random)
        made[place] = Layer(up.to(dtype), down.to(dtype), alpha)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(to_tensors(made, form, "sdxl"), str(path), metadata=metadata or {})
    return path
