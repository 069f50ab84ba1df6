"""Chroma: FLUX.1 schnell with its modulation replaced by one small network, and no pooled text."""

from __future__ import annotations

from typing import Any

from .conditions import Conditions
from .denoising import Flow
from .flux1 import BLOCK_RULES, TARGETS, streams
from .rename import rules
from .transformer import Config, Shapes, TransformerFamily, flow_traits, grid, packed, unpacked

_GUIDE = "distilled_guidance_layer"
RULES = (
    *BLOCK_RULES,
    *rules(
        {
            "img_in": "x_embedder",
            "txt_in": "context_embedder",
            "final_layer.linear": "proj_out",
            f"{_GUIDE}.layers.{{}}.in_layer": f"{_GUIDE}.layers.{{}}.linear_1",
            f"{_GUIDE}.layers.{{}}.out_layer": f"{_GUIDE}.layers.{{}}.linear_2",
        }
    ),
)


def call(model: Any, noisy: Any, times: Any, told: Conditions, guidance: float) -> Any:
    """As FLUX.1, with text alone."""
    import torch

    h, w = noisy.shape[-2:]
    tokens = model(
        hidden_states=packed(noisy),
        timestep=times.to(noisy.dtype),
        encoder_hidden_states=told.text,
        txt_ids=torch.zeros(told.text.shape[1], 3, device=noisy.device),
        img_ids=grid(h // 2, w // 2, 3, noisy.device),
    ).sample
    return unpacked(tokens, h, w)


def config(shapes: Shapes) -> Config:
    return {
        **streams(shapes),
        "approximator_num_channels": shapes[f"{_GUIDE}.in_proj.weight"][1],
        "approximator_hidden_dim": shapes[f"{_GUIDE}.in_proj.weight"][0],
        "approximator_layers": shapes.count(f"{_GUIDE}.layers."),
    }


CHROMA = TransformerFamily(
    id="chroma",
    title="Chroma",
    model_class="ChromaTransformer2DModel",
    marks=("img_in.weight", f"{_GUIDE}.in_proj.weight", "double_blocks.0.img_attn.qkv.weight"),
    never=("nerf_blocks.0.norm.scale", "nerf_blocks.0.norm.weight"),
    config=config,
    fits=lambda config: config["in_channels"] == 64,
    target_modules=TARGETS,
    traits=flow_traits(call, Flow(0.5, 1.15), "chroma", "chroma/lora", latent_multiple=2),
    rules=RULES,
    preset="chroma",
)
