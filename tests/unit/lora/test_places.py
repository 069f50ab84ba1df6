"""One name per weight, whatever the file calls it: checked against the models of diffusers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from lora_train.lora.dotted import dotted
from lora_train.lora.places import FORMS, block_of, block_order, fused_rows, kind_of, layer_name, place_of

XL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


@cache
def names(family: str) -> tuple[str, ...]:
    """Names of all linear layers and convolutions of a real model's shape, in diffusers."""
    import diffusers

    builders: dict[str, Any] = {
        "sdxl": lambda: diffusers.UNet2DConditionModel(**XL),
        "sd15": lambda: diffusers.UNet2DConditionModel(
            block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768),
        "flux": lambda: diffusers.FluxTransformer2DModel(num_layers=2, num_single_layers=2, guidance_embeds=True),
        "sd3": lambda: diffusers.SD3Transformer2DModel(num_layers=2),
        "qwen-image": lambda: diffusers.QwenImageTransformer2DModel(num_layers=2),
    }  # fmt: skip
    with torch.device("meta"):
        model = builders[family]()
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    return tuple(name for name, module in model.named_modules() if isinstance(module, kinds))


@pytest.mark.parametrize("family", ["sdxl", "sd15", "flux", "sd3", "qwen-image"])
def test_dots_come_back_into_flat_names(family: str) -> None:
    assert [name for name in names(family) if dotted(name.replace(".", "_")) != name] == []


@pytest.mark.parametrize("family", ["sdxl", "sd15", "flux"])
def test_every_form_of_a_name_means_the_same_place(family: str) -> None:
    places = {name: place_of("lora_unet_" + name.replace(".", "_"), family) for name in names(family)}
    assert len(set(places.values())) == len(places)
    for name, place in places.items():
        assert place_of(f"unet.{name}", family) == place_of(f"transformer.{name}", family) == place
        for form in FORMS:
            if "#" not in place or form != "kohya":
                assert place_of(layer_name(place, form, family), family) == place, (name, form)


def test_names_that_files_in_the_wild_have() -> None:
    q = "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q"
    for name in (
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
        "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
        "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q",
        "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q",
        "lycoris_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
    ):
        assert place_of(name, "sdxl") == q
    out = place_of("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out", "sdxl")
    assert out == "unet.input_blocks.4.1.transformer_blocks.0.attn1.to_out.0"
    clip = "te2.text_model.encoder.layers.31.mlp.fc1"
    for name in ("lora_te2_text_model_encoder_layers_31_mlp_fc1", "text_encoder_2.text_model.encoder.layers.31.mlp.fc1",
                 "text_encoders.clip_g.transformer.text_model.encoder.layers.31.mlp.fc1"):  # fmt: skip
        assert place_of(name, "sdxl") == clip


def test_fused_weights_of_flux_split_into_the_rows_that_diffusers_names_apart() -> None:
    qkv = place_of("lora_unet_double_blocks_3_img_attn_qkv", "flux")
    assert fused_rows(qkv, 9) == ((f"{qkv}#q", 0, 3), (f"{qkv}#k", 3, 6), (f"{qkv}#v", 6, 9))
    assert place_of("transformer.transformer_blocks.3.attn.to_k", "flux") == f"{qkv}#k"
    single = place_of("lora_unet_single_blocks_7_linear1", "flux")
    assert fused_rows(single, 14)[-1] == (f"{single}#mlp", 6, 14)
    assert place_of("transformer.single_transformer_blocks.7.proj_mlp", "flux") == f"{single}#mlp"


def test_blocks_and_kinds() -> None:
    place = place_of("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", "sdxl")
    assert (block_of(place), kind_of(place)) == ("input_blocks.4", "attn-cross")
    assert kind_of(place.replace("attn2.to_k", "ff.net.2")) == "mlp"
    assert kind_of("te1.text_model.encoder.layers.3.self_attn.q_proj") == "attn-self"
    blocks = ["output_blocks.10", "middle_block", "te1.2", "output_blocks.2", "input_blocks.4", "other"]
    ordered = ["te1.2", "input_blocks.4", "middle_block", "output_blocks.2", "output_blocks.10", "other"]
    assert sorted(blocks, key=block_order) == ordered
