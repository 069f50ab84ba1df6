"""FLUX.2 klein (base, 4B and 9B): a diffusion model in one file."""

from __future__ import annotations

import math
from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .flux1 import streams
from .rename import Rule, rules
from .transformer import Config, Shapes, TransformerFamily, flow_traits, grid

_DOUBLE: dict[str, str | tuple[str, ...]] = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_mlp.0": "ff.linear_in",
    "img_mlp.2": "ff.linear_out",
    "txt_mlp.0": "ff_context.linear_in",
    "txt_mlp.2": "ff_context.linear_out",
}
_SINGLE: dict[str, str | tuple[str, ...]] = {
    "linear1": "attn.to_qkv_mlp_proj",
    "linear2": "attn.to_out",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
}
_ENDS: dict[str, str | tuple[str, ...]] = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
    "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
    "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
    "single_stream_modulation.lin": "single_stream_modulation.linear",
    "final_layer.linear": "proj_out",
}
RULES = (
    *rules(_DOUBLE, ("double_blocks.{}.", "transformer_blocks.{}.")),
    *rules(_SINGLE, ("single_blocks.{}.", "single_transformer_blocks.{}.")),
    *rules(_ENDS),
    Rule("final_layer.adaLN_modulation.1", ("norm_out.linear",), swap="always"),
)
TARGETS = (
    r"transformer_blocks\.\d+\.(attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)"
    r"|ff(_context)?\.linear_(in|out))"
    r"|single_transformer_blocks\.\d+\.attn\.(to_qkv_mlp_proj|to_out)"
)


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """FLUX.2 reads one latent pixel (128 channels, 16 x 16 px) as one token and numbers the text's tokens."""
    import torch

    _, _, h, w = noisy.shape
    words = torch.zeros(told.text.shape[1], 4, device=noisy.device)
    words[:, 3] = torch.arange(len(words), device=noisy.device)
    tokens = model(
        hidden_states=noisy.flatten(2).transpose(1, 2),
        timestep=times.to(noisy.dtype),
        guidance=None,
        encoder_hidden_states=told.text,
        txt_ids=words,
        img_ids=grid(h, w, 4, noisy.device),
    ).sample
    return tokens.transpose(1, 2).unflatten(2, (h, w))


def config(shapes: Shapes) -> Config:
    return {
        **streams(shapes),
        "timestep_guidance_channels": shapes["time_in.in_layer.weight"][1],
        "mlp_ratio": shapes["double_blocks.0.img_mlp.2.weight"][1] / shapes["img_in.weight"][0],
        "guidance_embeds": False,
    }


FLUX2 = TransformerFamily(
    id="flux2",
    title="FLUX.2 klein",
    model_class="Flux2Transformer2DModel",
    marks=("img_in.weight", "double_stream_modulation_img.lin.weight", "single_stream_modulation.lin.weight"),
    never=("guidance_in.in_layer.weight",),
    config=config,
    fits=lambda config: config["in_channels"] == 128,
    target_modules=TARGETS,
    # ComfyUI samples FLUX.2 with the shift exp(2.02) at every size.
    traits=flow_traits(call, Flow.shifted(math.exp(2.02)), "flux2_klein", "flux-2-klein/lora"),
    rules=RULES,
    preset="flux2",
    latent_channels=128,
    latent_factor=16,
)
