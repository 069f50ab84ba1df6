"""Random models of real shapes, in single-file checkpoints: fast to make, useless as art.

The weights are random, the key names and shapes are what ComfyUI and Lorasmith expect.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

STARTER_UNET: dict[str, Any] = {
    "sample_size": 12,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (320,),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D",),
    "up_block_types": ("CrossAttnUpBlock2D",),
    "mid_block_type": None,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
TINY_CLIP = {
    "hidden_size": 768,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 12,
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
}
REAL_CLIP = {**TINY_CLIP, "intermediate_size": 3072, "num_hidden_layers": 12}


def random_unet(seed: int = 0, **changes: Any) -> Any:
    """A diffusers UNet with the starter's shape (fp32, eval mode), reproducible per ``seed``."""
    from diffusers import UNet2DConditionModel

    return filled(lambda: UNet2DConditionModel(**{**STARTER_UNET, **changes}), seed)


def random_taesd(seed: int = 0) -> Any:
    """A diffusers AutoencoderTiny, reproducible per ``seed``."""
    from diffusers import AutoencoderTiny

    return filled(lambda: AutoencoderTiny(), seed)


def random_clip(seed: int = 0, **changes: Any) -> Any:
    """A CLIP text encoder of width 768; one thin layer unless ``**REAL_CLIP`` is given."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return filled(lambda: CLIPTextModel(CLIPTextConfig(**{**TINY_CLIP, **changes})), seed)


def filled(build: Callable[[], Any], seed: int) -> Any:
    """Build a model and fill it from one block of random numbers: ten times faster than its own init.

    Weights get variance 1 / inputs, normalisation layers keep 1 and 0, biases are 0.
    """
    import torch

    with torch.device("meta"):
        model = build()
    block = torch.randn(1_000_003, generator=torch.Generator().manual_seed(seed))
    at = 0
    for name, parameter in list(model.named_parameters()):
        owner = model.get_submodule(name.rpartition(".")[0])
        leaf = name.rpartition(".")[2]
        if parameter.dim() < 2:
            value = torch.full(parameter.shape, float(leaf == "weight"))
        else:
            rounds = (at + parameter.numel()) // len(block) + 1
            values = block.repeat(rounds)[at : at + parameter.numel()]
            scale = parameter[0].numel() ** -0.5 if not isinstance(owner, torch.nn.Embedding) else 0.5
            value = (values * scale).view(parameter.shape)
            at = (at + parameter.numel() * 7 + 13) % len(block)
        setattr(owner, leaf, torch.nn.Parameter(value))
    for module in model.modules():
        for leaf, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:  # position ids, the only kind there is
                module.register_buffer(leaf, torch.arange(buffer.shape[-1])[None], persistent=False)
    return model.eval()


def write_checkpoint(path: Path, *, unet: Any = None, vae: Any = None, clip: Any = None, half: bool = False) -> Path:
    """Write the given parts as one checkpoint in the layout of Stable Diffusion 1.5."""
    import torch
    from safetensors.torch import save_file

    from lora_train.families.sd15 import single_file

    tensors = single_file(
        unet=unet or random_unet(),
        vae=vae if vae is not None else random_taesd(),
        text_encoder=clip if clip is not None else random_clip(),
    )
    dtype = torch.float16 if half else torch.float32
    tensors = {name: value.to(dtype).contiguous() for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(path))
    return path
