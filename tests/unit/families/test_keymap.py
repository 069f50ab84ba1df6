"""Names and shapes: every tensor of a random model finds its place and comes back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_models import STARTER_UNET

from lora_train.families.keymap import kl_vae_map, taesd_map, unet_map
from lora_train.families.sd15 import single_file
from lora_train.families.unet_shape import UnetShape, infer_shape, shape_of_config

REAL_SD15 = {
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
    "layers_per_block": 2,
}
MIDDLE_ONLY = {
    "block_out_channels": (320, 320),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
PLAIN_UP = {**STARTER_UNET, "up_block_types": ("UpBlock2D",)}
SHAPES = {"real": REAL_SD15, "starter": STARTER_UNET, "middle": MIDDLE_ONLY, "plain up": PLAIN_UP}


def _unet(config: dict[str, Any]) -> Any:
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        return UNet2DConditionModel(**config)


@pytest.mark.parametrize("name", SHAPES)
def test_unet_names_go_both_ways_and_shape_is_found_again(name: str) -> None:
    unet = _unet(SHAPES[name])
    shape = shape_of_config(unet.config)
    names = unet_map(shape)
    file_shapes = {names.to_file(n): tuple(v.shape) for n, v in unet.state_dict().items()}
    assert len(file_shapes) == len(unet.state_dict())
    assert {names.to_library(n) for n in file_shapes} == set(unet.state_dict())
    assert infer_shape(file_shapes) == shape


@pytest.mark.parametrize("name", SHAPES)
def test_inferred_config_builds_the_same_model(name: str) -> None:
    unet = _unet(SHAPES[name])
    again = _unet(shape_of_config(unet.config).diffusers_config())
    shapes = {n: v.shape for n, v in unet.state_dict().items()}
    assert shapes == {n: v.shape for n, v in again.state_dict().items()}


def test_real_sd15_has_the_names_of_the_published_checkpoint() -> None:
    # From the key list of the original v1-5 checkpoint.
    names = unet_map(shape_of_config(_unet(REAL_SD15).config))
    expected = {
        "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.weight": (
            "input_blocks.2.1.transformer_blocks.0.attn1.to_q.weight"
        ),
        "down_blocks.1.downsamplers.0.conv.weight": "input_blocks.6.0.op.weight",
        "down_blocks.1.resnets.0.conv_shortcut.bias": "input_blocks.4.0.skip_connection.bias",
        "mid_block.attentions.0.proj_in.weight": "middle_block.1.proj_in.weight",
        "mid_block.resnets.1.time_emb_proj.weight": "middle_block.2.emb_layers.1.weight",
        "up_blocks.0.upsamplers.0.conv.weight": "output_blocks.2.1.conv.weight",
        "up_blocks.1.upsamplers.0.conv.weight": "output_blocks.5.2.conv.weight",
        "up_blocks.3.resnets.2.conv2.weight": "output_blocks.11.0.out_layers.3.weight",
        "conv_norm_out.weight": "out.0.weight",
        "time_embedding.linear_2.bias": "time_embed.2.bias",
    }
    assert {n: names.to_file(n) for n in expected} == expected


def test_shape_flags() -> None:
    assert shape_of_config(_unet(REAL_SD15).config).is_real_sd15
    starter = shape_of_config(_unet(STARTER_UNET).config)
    assert starter.is_starter and not starter.is_real_sd15
    assert starter == UnetShape(4, 4, (320,), (1,), (1,), (1,), "absent", 768)


def test_unknown_part_is_an_error() -> None:
    names = unet_map(UnetShape(4, 4, (320,), (1,), (1,), (1,), "absent", 768))
    for name in ("input_blocks.9.0.in_layers.0.weight", "middle_block.0.in_layers.0.weight", "nonsense"):
        with pytest.raises(KeyError):
            names.to_library(name)


def test_kl_vae_names_go_both_ways() -> None:
    from diffusers import AutoencoderKL

    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
    names = kl_vae_map(4)
    files = {names.to_file(n) for n in vae.state_dict()}
    assert {names.to_library(n) for n in files} == set(vae.state_dict())
    # From the key list of the original v1-5 checkpoint.
    for known in (
        "encoder.down.3.block.1.conv2.weight",
        "decoder.up.0.block.2.norm1.bias",
        "decoder.up.1.upsample.conv.weight",
        "encoder.mid.attn_1.q.weight",
        "decoder.mid.block_2.conv1.weight",
        "decoder.norm_out.weight",
        "post_quant_conv.bias",
    ):
        assert known in files
    assert names.to_library("decoder.up.3.block.0.conv1.weight") == "decoder.up_blocks.0.resnets.0.conv1.weight"


def test_taesd_decoder_counts_its_clamp() -> None:
    names = taesd_map()
    assert names.to_file("decoder.layers.0.weight") == "taesd_decoder.1.weight"
    assert names.to_file("encoder.layers.1.conv.0.weight") == "taesd_encoder.1.conv.0.weight"


def test_single_file_has_the_prefixes_that_comfyui_reads() -> None:
    from tiny_models import random_clip, random_taesd, random_unet

    names = set(single_file(unet=random_unet(), vae=random_taesd(), text_encoder=random_clip()))
    assert "model.diffusion_model.input_blocks.0.0.weight" in names
    assert {"first_stage_model.vae_scale", "first_stage_model.taesd_decoder.1.weight"} <= names
    assert "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight" in names
