"""Z-Image (base, and Turbo made trainable again): a diffusion model in one file."""

from __future__ import annotations

from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .rename import Rule
from .transformer import Config, Shapes, TransformerFamily, flow_traits

RULES = (
    Rule("*.attention.qkv", ("*.attention.to_q", "*.attention.to_k", "*.attention.to_v")),
    Rule("*.attention.out", ("*.attention.to_out.0",)),
    Rule("*.attention.q_norm", ("*.attention.norm_q",)),
    Rule("*.attention.k_norm", ("*.attention.norm_k",)),
    Rule("x_embedder", ("all_x_embedder.2-1",)),
    Rule("final_layer.linear", ("all_final_layer.2-1.linear",)),
    Rule("final_layer.adaLN_modulation.1", ("all_final_layer.2-1.adaLN_modulation.1",)),
)
TARGETS = r"(layers|noise_refiner|context_refiner)\.\d+\.(attention\.(to_[qkv]|to_out\.0)|feed_forward\.w[123])"


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """Z-Image counts time towards the picture and answers with the opposite sign."""
    import torch

    answers = model(
        [latent[:, None] for latent in noisy],
        1 - times,  # in fp32: the model makes its own embedding of it
        list(told.text),
        return_dict=False,
    )[0]
    return -torch.stack([answer[:, 0] for answer in answers])


def config(shapes: Shapes) -> Config:
    dim, head = shapes["x_embedder.weight"][0], shapes["layers.0.attention.q_norm.weight"][0]
    if shapes["layers.0.attention.qkv.weight"][0] != 3 * dim:
        raise ValueError("grouped keys and values are Lumina's")
    return {
        "dim": dim,
        "in_channels": shapes["x_embedder.weight"][1] // 4,
        "n_layers": shapes.count("layers."),
        "n_refiner_layers": shapes.count("noise_refiner."),
        "n_heads": dim // head,
        "n_kv_heads": dim // head,
        "cap_feat_dim": shapes["cap_embedder.1.weight"][1],
    }


ZIMAGE = TransformerFamily(
    id="zimage",
    title="Z-Image",
    model_class="ZImageTransformer2DModel",
    marks=("cap_embedder.1.weight", "cap_pad_token", "noise_refiner.0.attention.qkv.weight"),
    never=("dec_net.cond_embed.weight", "siglip_embedder.0.weight"),
    config=config,
    fits=lambda config: config["in_channels"] == 16,
    target_modules=TARGETS,
    traits=flow_traits(call, Flow.shifted(3.0), "zimage", "z-image/lora", latent_multiple=2),
    rules=RULES,
    unused=("norm_final.",),
    preset="zimage",
)
