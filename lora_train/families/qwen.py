"""Qwen-Image: a diffusion model in one file, under the names that diffusers uses too."""

from __future__ import annotations

from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .transformer import Config, Shapes, TransformerFamily, flow_traits, packed, unpacked

TARGETS = (
    r"transformer_blocks\.\d+\.(attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)"
    r"|(img|txt)_mlp\.net\.(0\.proj|2))"
)


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """Qwen-Image reads 2 x 2 latent pixels as one token, and text of any length."""
    import torch

    n, _, h, w = noisy.shape
    tokens = model(
        hidden_states=packed(noisy),
        timestep=times.to(noisy.dtype),
        encoder_hidden_states=told.text,
        encoder_hidden_states_mask=torch.ones(told.text.shape[:2], dtype=torch.bool, device=noisy.device),
        img_shapes=[[(1, h // 2, w // 2)]] * n,
    ).sample
    return unpacked(tokens, h, w)


def config(shapes: Shapes) -> Config:
    hidden, head = shapes["img_in.weight"][0], shapes["transformer_blocks.0.attn.norm_q.weight"][0]
    return {
        "in_channels": shapes["img_in.weight"][1],
        "out_channels": shapes["proj_out.weight"][0] // 4,
        "num_layers": shapes.count("transformer_blocks."),
        "attention_head_dim": head,
        "num_attention_heads": hidden // head,
        "joint_attention_dim": shapes["txt_in.weight"][1],
    }


# With an even number of tokens a side, positions are the same in ComfyUI and in diffusers: hence 4.
QWEN = TransformerFamily(
    id="qwen",
    title="Qwen-Image",
    model_class="QwenImageTransformer2DModel",
    marks=("txt_norm.weight", "img_in.weight", "transformer_blocks.0.img_mod.1.weight"),
    never=("time_text_embed.addition_t_embedding.weight", "__index_timestep_zero__"),
    config=config,
    fits=lambda config: config["in_channels"] == 64,
    target_modules=TARGETS,
    # Published scheduler: 0.5 at 256 tokens to 0.9 at 8192, so 0.694 at 4096.
    traits=flow_traits(call, Flow(0.5, 0.6935), "qwen_image", "qwen-image/lora", latent_multiple=4),
    preset="qwen",
)
