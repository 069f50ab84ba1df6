"""Stable Diffusion 3.5, medium and large: a diffusion model or a full checkpoint in one file."""

from __future__ import annotations

from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .rename import Rule, rules
from .transformer import Config, Shapes, TransformerFamily, flow_traits

_BLOCK: dict[str, str | tuple[str, ...]] = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "x_block.attn.proj": "attn.to_out.0",
    "x_block.attn2.proj": "attn2.to_out.0",
    "context_block.attn.proj": "attn.to_add_out",
    "x_block.attn.ln_q": "attn.norm_q",
    "x_block.attn.ln_k": "attn.norm_k",
    "x_block.attn2.ln_q": "attn2.norm_q",
    "x_block.attn2.ln_k": "attn2.norm_k",
    "context_block.attn.ln_q": "attn.norm_added_q",
    "context_block.attn.ln_k": "attn.norm_added_k",
    "x_block.mlp.fc1": "ff.net.0.proj",
    "x_block.mlp.fc2": "ff.net.2",
    "context_block.mlp.fc1": "ff_context.net.0.proj",
    "context_block.mlp.fc2": "ff_context.net.2",
    "x_block.adaLN_modulation.1": "norm1.linear",
}
_ENDS: dict[str, str | tuple[str, ...]] = {
    "pos_embed": "pos_embed.pos_embed",
    "x_embedder.proj": "pos_embed.proj",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "final_layer.linear": "proj_out",
}
_PREFIX = ("joint_blocks.{}.", "transformer_blocks.{}.")
RULES = (
    *rules(_BLOCK, _PREFIX),
    # The last block's text side only has a scale and a shift, which the two libraries order differently.
    Rule("joint_blocks.{}.context_block.adaLN_modulation.1", ("transformer_blocks.{}.norm1_context.linear",), "pairs"),
    *rules(_ENDS),
    Rule("final_layer.adaLN_modulation.1", ("norm_out.linear",), swap="always"),
)
TARGETS = (
    r"transformer_blocks\.\d+\.(attn2?\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)"
    r"|ff(_context)?\.net\.(0\.proj|2))"
)
_HEAD = 64


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """SD 3.5 reads latents as they are, times up to 1000, text and pooled text."""
    return model(
        hidden_states=noisy,
        timestep=times * 1000,
        encoder_hidden_states=told.text,
        pooled_projections=told.pooled,
    ).sample


def config(shapes: Shapes) -> Config:
    hidden, channels, patch, _ = shapes["x_embedder.proj.weight"]
    return {
        "patch_size": patch,
        "in_channels": channels,
        "out_channels": shapes["final_layer.linear.weight"][0] // patch**2,
        "num_layers": shapes.count("joint_blocks."),
        "attention_head_dim": _HEAD,
        "num_attention_heads": hidden // _HEAD,
        "joint_attention_dim": shapes["context_embedder.weight"][1],
        "caption_projection_dim": shapes["context_embedder.weight"][0],
        "pooled_projection_dim": shapes["y_embedder.mlp.0.weight"][1],
        "pos_embed_max_size": round(shapes["pos_embed"][1] ** 0.5),
        "dual_attention_layers": shapes.numbers(r"joint_blocks\.(\d+)\.x_block\.attn2\.qkv\.weight"),
        "qk_norm": "rms_norm",
    }


SD35 = TransformerFamily(
    id="sd35",
    title="Stable Diffusion 3.5",
    model_class="SD3Transformer2DModel",
    marks=("joint_blocks.0.context_block.attn.qkv.weight", "joint_blocks.0.x_block.attn.ln_q.weight", "pos_embed"),
    config=config,
    fits=lambda config: config["in_channels"] == 16,
    target_modules=TARGETS,
    traits=flow_traits(call, Flow.shifted(3.0), "sd3", "stable-diffusion-3.5/lora", latent_multiple=2, pooled=True),
    rules=RULES,
    preset="sd35",
)
