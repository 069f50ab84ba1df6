"""Lumina Image 2.0: a diffusion model or a full checkpoint in one file.

Its LoRAs carry the file's own names: ComfyUI knows no others for grouped keys and values, and diffusers
converts these. That converter asks for the modulation too, so it is trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .rename import Rule, groups, rules
from .traits import Layers
from .transformer import Config, Shapes, TransformerFamily, flow_traits

RULES = (
    Rule("*.attention.qkv", ("*.attn.to_q", "*.attn.to_k", "*.attn.to_v")),
    Rule("*.attention.out", ("*.attn.to_out.0",)),
    Rule("*.attention.q_norm", ("*.attn.norm_q",)),
    Rule("*.attention.k_norm", ("*.attn.norm_k",)),
    Rule("*.feed_forward.w1", ("*.feed_forward.linear_1",)),
    Rule("*.feed_forward.w2", ("*.feed_forward.linear_2",)),
    Rule("*.feed_forward.w3", ("*.feed_forward.linear_3",)),
    Rule("context_refiner.{}.attention_norm1", ("context_refiner.{}.norm1",)),
    Rule("*.attention_norm1", ("*.norm1.norm",)),
    Rule("*.attention_norm2", ("*.norm2",)),
    *rules(
        {
            "layers.{}.adaLN_modulation.1": "layers.{}.norm1.linear",
            "noise_refiner.{}.adaLN_modulation.1": "noise_refiner.{}.norm1.linear",
            "cap_embedder.0": "time_caption_embed.caption_embedder.0",
            "cap_embedder.1": "time_caption_embed.caption_embedder.1",
            "t_embedder.mlp.0": "time_caption_embed.timestep_embedder.linear_1",
            "t_embedder.mlp.2": "time_caption_embed.timestep_embedder.linear_2",
            "final_layer.adaLN_modulation.1": "norm_out.linear_1",
            "final_layer.linear": "norm_out.linear_2",
        }
    ),
)
TARGETS = (
    r"(layers|noise_refiner|context_refiner)\.\d+\.(attn\.(to_[qkv]|to_out\.0)|feed_forward\.linear_[123])"
    r"|(layers|noise_refiner)\.\d+\.norm1\.linear"
)


def lora_layers(modules: Iterable[str]) -> Layers:
    return {f"diffusion_model.{file}": names for file, names in groups(modules, RULES).items()}


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """Lumina counts time towards the picture and answers with the opposite sign."""
    import torch

    every = torch.ones(told.text.shape[:2], dtype=torch.bool, device=noisy.device)
    return -model(
        hidden_states=noisy,
        timestep=1 - times,
        encoder_hidden_states=told.text,
        encoder_attention_mask=every,
    ).sample


def config(shapes: Shapes) -> Config:
    hidden, head = shapes["x_embedder.weight"][0], shapes["layers.0.attention.q_norm.weight"][0]
    rows, wide = shapes["layers.0.attention.qkv.weight"][0], shapes["layers.0.feed_forward.w1.weight"][0]
    if rows == 3 * hidden:
        raise ValueError("one key and value a head is Z-Image's")
    return {
        "in_channels": shapes["x_embedder.weight"][1] // 4,
        "hidden_size": hidden,
        "num_layers": shapes.count("layers."),
        "num_refiner_layers": shapes.count("noise_refiner."),
        "num_attention_heads": hidden // head,
        "num_kv_heads": (rows - hidden) // 2 // head,
        "multiple_of": 1,
        "ffn_dim_multiplier": wide / (4 * hidden),
        "cap_feat_dim": shapes["cap_embedder.1.weight"][1],
    }


LUMINA2 = TransformerFamily(
    id="lumina2",
    title="Lumina 2",
    model_class="Lumina2Transformer2DModel",
    marks=("cap_embedder.1.weight", "noise_refiner.0.attention.qkv.weight", "x_embedder.weight"),
    never=("clip_text_pooled_proj.0.weight", "cap_pad_token"),
    config=config,
    fits=lambda config: config["in_channels"] == 16,
    target_modules=TARGETS,
    traits=flow_traits(call, Flow.shifted(6.0), "lumina2", "lumina-2/lora", lora_layers=lora_layers, latent_multiple=2),
    rules=RULES,
    unused=("norm_final.",),
    preset="lumina2",
)
