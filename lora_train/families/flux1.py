"""FLUX.1 (dev, Krea, Kontext, de-distilled ones): a diffusion model or a full checkpoint in one file."""

from __future__ import annotations

from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .rename import Rule, rules
from .transformer import Config, Shapes, TransformerFamily, flow_traits, grid, packed, unpacked

_QKV = ("attn.to_q", "attn.to_k", "attn.to_v")
_ADDED = ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
_DOUBLE: dict[str, str | tuple[str, ...]] = {
    "img_attn.qkv": _QKV,
    "txt_attn.qkv": _ADDED,
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
}
_SINGLE: dict[str, str | tuple[str, ...]] = {
    "linear1": (*_QKV, "proj_mlp"),
    "linear2": "proj_out",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "modulation.lin": "norm.linear",
}
_ENDS: dict[str, str | tuple[str, ...]] = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
}
BLOCK_RULES = (
    *rules(_DOUBLE, ("double_blocks.{}.", "transformer_blocks.{}.")),
    *rules(_SINGLE, ("single_blocks.{}.", "single_transformer_blocks.{}.")),
)
RULES = (
    *BLOCK_RULES,
    *rules(_ENDS),
    Rule("final_layer.adaLN_modulation.1", ("norm_out.linear",), swap="always"),
)
TARGETS = (
    r"transformer_blocks\.\d+\.(attn\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)|ff(_context)?\.net\.(0\.proj|2))"
    r"|single_transformer_blocks\.\d+\.(attn\.to_[qkv]|proj_mlp|proj_out)"
)


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """FLUX.1 reads 2 x 2 latent pixels as one token, all text tokens, and CLIP's pooled vector."""
    import torch

    n, _, h, w = noisy.shape
    strength = noisy.new_full((n,), guidance) if model.config.guidance_embeds else None
    tokens = model(
        hidden_states=packed(noisy),
        timestep=times.to(noisy.dtype),
        guidance=strength,
        pooled_projections=told.pooled,
        encoder_hidden_states=told.text,
        txt_ids=torch.zeros(told.text.shape[1], 3, device=noisy.device),
        img_ids=grid(h // 2, w // 2, 3, noisy.device),
    ).sample
    return unpacked(tokens, h, w)


def streams(shapes: Shapes) -> Config:
    """What all models of double and single stream blocks have: FLUX.1, FLUX.2 and Chroma."""
    hidden, head = shapes["img_in.weight"][0], shapes.norm("double_blocks.0.img_attn.norm.query_norm")
    return {
        "in_channels": shapes["img_in.weight"][1],
        "num_layers": shapes.count("double_blocks."),
        "num_single_layers": shapes.count("single_blocks."),
        "attention_head_dim": head,
        "num_attention_heads": hidden // head,
        "joint_attention_dim": shapes["txt_in.weight"][1],
    }


def config(shapes: Shapes) -> Config:
    return {
        **streams(shapes),
        "pooled_projection_dim": shapes["vector_in.in_layer.weight"][1],
        "guidance_embeds": "guidance_in.in_layer.weight" in shapes,
    }


FLUX1 = TransformerFamily(
    id="flux1",
    title="FLUX.1",
    model_class="FluxTransformer2DModel",
    marks=("img_in.weight", "vector_in.in_layer.weight", "double_blocks.0.img_mod.lin.weight"),
    config=config,
    fits=lambda config: config["in_channels"] == 64,
    target_modules=TARGETS,
    # Shift of black-forest-labs' sampler: 0.5 at 256 tokens to 1.15 at 4096.
    traits=flow_traits(call, Flow(0.5, 1.15), "flux1", "flux-1-dev/lora", latent_multiple=2, pooled=True),
    rules=RULES,
    preset="flux1",
)
