"""Tensor names: one-file Stable Diffusion checkpoints <-> diffusers and transformers models.

A :class:`KeyMap` is a table of name beginnings, the same table read in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .unet_shape import UnetShape, shape_of_config

_UNET_ENDS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
_UNET_VECTOR = {
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
}
_UNET_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_VAE_RESNET = {
    "norm1": "norm1",
    "conv1": "conv1",
    "norm2": "norm2",
    "conv2": "conv2",
    "nin_shortcut": "conv_shortcut",
}
_VAE_ATTENTION = {
    "norm": "group_norm",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "proj_out": "to_out.0",
}


@dataclass(frozen=True)
class KeyMap:
    """``parts``: beginning of a name in the one-file layout -> beginning in the library."""

    parts: Mapping[str, str]

    @cached_property
    def _inverse(self) -> Mapping[str, str]:
        return {library: file for file, library in self.parts.items()}

    def to_library(self, name: str) -> str:
        """Library name of a one-file name; KeyError when the model has no such part."""
        return _replace(name, self.parts)

    def to_file(self, name: str) -> str:
        """One-file name of a library name; KeyError when the layout has no such part."""
        return _replace(name, self._inverse)


def _replace(name: str, parts: Mapping[str, str]) -> str:
    """Replace the longest beginning of ``name`` (ending at a dot) that ``parts`` knows."""
    head = name
    while head not in parts:
        head, dot, _ = head.rpartition(".")
        if not dot:
            raise KeyError(name)
    return parts[head] + name[len(head) :]


def _joined(file: str, library: str, leaves: Mapping[str, str]) -> dict[str, str]:
    return {f"{file}.{old}": f"{library}.{new}" for old, new in leaves.items()}


def unet_map(shape: UnetShape) -> KeyMap:
    """Names of a UNet of this shape; the one-file side has no ``model.diffusion_model.``."""
    ends = {**_UNET_ENDS, **(_UNET_VECTOR if shape.vector_dim else {})}
    return KeyMap({**ends, **_down(shape), **_middle(shape), **_up(shape)})


def _down(shape: UnetShape) -> dict[str, str]:
    parts: dict[str, str] = {}
    number = 1
    for level, count in enumerate(shape.layers):
        block = f"down_blocks.{level}"
        for layer in range(count):
            parts |= _joined(f"input_blocks.{number}.0", f"{block}.resnets.{layer}", _UNET_RESNET)
            if shape.down_depth[level]:
                parts[f"input_blocks.{number}.1"] = f"{block}.attentions.{layer}"
            number += 1
        parts[f"input_blocks.{number}.0.op"] = f"{block}.downsamplers.0.conv"
        number += 1
    return parts


def _middle(shape: UnetShape) -> dict[str, str]:
    if shape.middle == "absent":
        return {}
    parts = _joined("middle_block.0", "mid_block.resnets.0", _UNET_RESNET)
    if shape.middle == "attention":
        parts["middle_block.1"] = "mid_block.attentions.0"
        parts |= _joined("middle_block.2", "mid_block.resnets.1", _UNET_RESNET)
    return parts


def _up(shape: UnetShape) -> dict[str, str]:
    parts: dict[str, str] = {}
    number = 0
    for up, level in enumerate(reversed(range(len(shape.layers)))):
        block = f"up_blocks.{up}"
        for layer in range(shape.layers[level] + 1):
            parts |= _joined(f"output_blocks.{number}.0", f"{block}.resnets.{layer}", _UNET_RESNET)
            if shape.up_depth[level]:
                parts[f"output_blocks.{number}.1"] = f"{block}.attentions.{layer}"
            number += 1
        place = 2 if shape.up_depth[level] else 1
        parts[f"output_blocks.{number - 1}.{place}.conv"] = f"{block}.upsamplers.0.conv"
    return parts


def unet_file_names(unet: Any) -> dict[str, str]:
    """Module of a diffusers UNet -> its name in the one-file layout (``input_blocks.1.1.proj_in`` ...)."""
    names = unet_map(shape_of_config(unet.config))
    modules = {name.rpartition(".")[0] for name in unet.state_dict()}
    return {module: names.to_file(module) for module in sorted(modules) if ".lora_" not in module}


def kl_vae_map(levels: int, layers: int = 2) -> KeyMap:
    """Names of a KL autoencoder with ``levels`` resolutions, without ``first_stage_model.``."""
    parts = {"quant_conv": "quant_conv", "post_quant_conv": "post_quant_conv"}
    for side, way, sampler in (("encoder", "down", "downsample"), ("decoder", "up", "upsample")):
        for end in ("conv_in", "conv_out"):
            parts[f"{side}.{end}"] = f"{side}.{end}"
        parts[f"{side}.norm_out"] = f"{side}.conv_norm_out"
        middle = f"{side}.mid_block"
        parts |= _joined(f"{side}.mid.attn_1", f"{middle}.attentions.0", _VAE_ATTENTION)
        for number in (0, 1):
            file = f"{side}.mid.block_{number + 1}"
            parts |= _joined(file, f"{middle}.resnets.{number}", _VAE_RESNET)
        for level in range(levels):
            order = level if way == "down" else levels - 1 - level
            block = f"{side}.{way}_blocks.{order}"
            for layer in range(layers + (way == "up")):
                file = f"{side}.{way}.{level}.block.{layer}"
                parts |= _joined(file, f"{block}.resnets.{layer}", _VAE_RESNET)
            parts[f"{side}.{way}.{level}.{sampler}.conv"] = f"{block}.{sampler}rs.0.conv"
    return KeyMap(parts)


def taesd_map(layers: int = 32) -> KeyMap:
    """Names of TAESD. The one-file decoder counts its clamp as layer 0; diffusers does not."""
    parts: dict[str, str] = {}
    for number in range(layers):
        parts[f"taesd_encoder.{number}"] = f"encoder.layers.{number}"
        parts[f"taesd_decoder.{number + 1}"] = f"decoder.layers.{number}"
    return KeyMap(parts)


_OPEN_CLIP = {
    "token_embedding": "embeddings.token_embedding",
    "ln_final": "final_layer_norm",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}


def open_clip_map(layers: int) -> KeyMap:
    """Names of an open_clip text transformer, without ``attn.in_proj_*`` (three layers in one) and the
    positions and the projection, which are no modules there."""
    parts = dict(_OPEN_CLIP)
    for number in range(layers):
        parts |= _joined(f"transformer.resblocks.{number}", f"encoder.layers.{number}", _OPEN_CLIP_LAYER)
    return KeyMap(parts)


def clip_name(file_name: str) -> str:
    """Library name (without transformers' optional ``text_model.``) of a CLIP text tensor."""
    return file_name.removeprefix("transformer.").removeprefix("text_model.")
