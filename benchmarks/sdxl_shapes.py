"""Random LoRAs with the layers of a real SDXL LoRA: 722 attention and feed-forward layers of the UNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file

WIDE = 2048


def layers() -> Iterator[tuple[str, int, int]]:
    """``(kohya layer name, inputs, outputs)`` of all 722 layers.

    The blocks with attention: two of depth 2 going down, two of depth 10, the middle of depth 10, three of
    depth 10 and three of depth 2 going up; ten layers a transformer block, two projections around them.
    """
    for block, width, depth in (
        *((f"input_blocks_{n}_1", 640, 2) for n in (4, 5)), *((f"input_blocks_{n}_1", 1280, 10) for n in (7, 8)),
        ("middle_block_1", 1280, 10), *((f"output_blocks_{n}_1", 1280, 10) for n in (0, 1, 2)),
        *((f"output_blocks_{n}_1", 640, 2) for n in (3, 4, 5)),
    ):  # fmt: skip
        name = f"lora_unet_{block}"
        yield f"{name}_proj_in", width, width
        yield f"{name}_proj_out", width, width
        for number in range(depth):
            inner = f"{name}_transformer_blocks_{number}"
            for attention, context in (("attn1", width), ("attn2", WIDE)):
                yield f"{inner}_{attention}_to_q", width, width
                yield f"{inner}_{attention}_to_k", context, width
                yield f"{inner}_{attention}_to_v", context, width
                yield f"{inner}_{attention}_to_out_0", width, width
            yield f"{inner}_ff_net_0_proj", width, 8 * width
            yield f"{inner}_ff_net_2", 4 * width, width


def write(path: Path, rank: int, seed: int, dtype: torch.dtype = torch.float16) -> Path:
    """A LoRA whose singular values fall as those of trained ones do (by about 1 / k)."""
    random = torch.Generator().manual_seed(seed)
    fall = 1.0 / torch.arange(1, rank + 1)
    tensors: dict[str, torch.Tensor] = {}
    for name, inputs, outputs in layers():
        down = torch.randn(rank, inputs, generator=random) / inputs**0.5
        up = torch.randn(outputs, rank, generator=random) * fall * 0.05
        tensors |= {f"{name}.lora_down.weight": down.to(dtype), f"{name}.lora_up.weight": up.to(dtype)}
        tensors[f"{name}.alpha"] = torch.tensor(float(rank))
    save_file(tensors, str(path), metadata={"ss_base_model_version": "sdxl_base_v1-0"})
    return path
