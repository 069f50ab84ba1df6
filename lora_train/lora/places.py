"""One name per weight, whatever the file calls it.

Two LoRAs can only be compared, joined or balanced when the same weight has the same name. That name, the
*place*, is the part of the model and the layer as the one-file checkpoint names it::

    unet.input_blocks.4.1.transformer_blocks.0.attn1.to_q      te1.text_model.encoder.layers.0.mlp.fc1
    unet.double_blocks.0.img_attn.qkv#k        (a third of a fused weight: its rows for the keys)

Sources of the names: ComfyUI ``comfy/lora.py`` and ``comfy/utils.py`` (``unet_to_diffusers``,
``flux_to_diffusers``), sd-scripts ``networks/lora.py``, diffusers ``loaders/lora_conversion_utils.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from ..families.keymap import KeyMap, unet_map
from ..families.unet_shape import UnetShape
from .dotted import dotted

Form = Literal["kohya", "diffusers", "peft", "core"]
Kind = Literal["attn-self", "attn-cross", "mlp", "other"]
FORMS: tuple[Form, ...] = ("kohya", "diffusers", "peft", "core")

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("base_model.model.text_model.", "te1.text_model."),
    ("unet.base_model.model.", "unet."),
    ("base_model.model.", "unet."),
    ("model.diffusion_model.", "unet."),
    ("diffusion_model.", "unet."),
    ("text_encoders.clip_l.transformer.", "te1."),
    ("text_encoders.clip_g.transformer.", "te2."),
    ("text_encoders.t5xxl.transformer.", "te3."),
    ("text_encoder_3.", "te3."),
    ("text_encoder_2.", "te2."),
    ("text_encoder.", "te1."),
    ("transformer.", "unet."),
    ("unet.", "unet."),
    ("lora_transformer_", "unet."),
    ("lora_unet_", "unet."),
    ("lycoris_", "unet."),
    ("lora_te3_", "te3."),
    ("lora_te2_", "te2."),
    ("lora_te1_", "te1."),
    ("lora_te_", "te1."),
)
_SD15 = UnetShape(4, 4, (320, 640, 1280, 1280), (2, 2, 2, 2), (1, 1, 1, 0), (1, 1, 1, 0), "attention", 768)
_SDXL = UnetShape(4, 4, (320, 640, 1280), (2, 2, 2), (0, 2, 10), (0, 2, 10), "attention", 2048)
_STARTER = UnetShape(4, 4, (320,), (1,), (1,), (1,), "absent", 768)
_SHAPES: Mapping[str, UnetShape] = {"sd15": _SD15, "sd2": _SD15, "sdxl": _SDXL, "starter": _STARTER}
_EXTRA = {"label_emb.0.0": "add_embedding.linear_1", "label_emb.0.2": "add_embedding.linear_2"}
_UNET_STARTS = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out", "time_embedding.", "add_embedding.")

# Flux, diffusers -> original: (start, end) of the name; '#x' are rows of a fused weight.
_FLUX_DOUBLE = {
    "attn.to_q": "img_attn.qkv#q", "attn.to_k": "img_attn.qkv#k", "attn.to_v": "img_attn.qkv#v",
    "attn.add_q_proj": "txt_attn.qkv#q", "attn.add_k_proj": "txt_attn.qkv#k", "attn.add_v_proj": "txt_attn.qkv#v",
    "attn.to_out.0": "img_attn.proj", "attn.to_add_out": "txt_attn.proj", "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin", "ff.net.0.proj": "img_mlp.0", "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0", "ff_context.net.2": "txt_mlp.2",
}  # fmt: skip
_FLUX_SINGLE = {
    "attn.to_q": "linear1#q", "attn.to_k": "linear1#k", "attn.to_v": "linear1#v", "proj_mlp": "linear1#mlp",
    "norm.linear": "modulation.lin", "proj_out": "linear2",
}  # fmt: skip
_FLUX_BACK_DOUBLE = {new: old for old, new in _FLUX_DOUBLE.items()}
_FLUX_BACK_SINGLE = {new: old for old, new in _FLUX_SINGLE.items()}


@lru_cache(maxsize=65536)
def place_of(layer: str, family: str = "") -> str:
    """The place that a LoRA file's layer name means in a model of this family.

    A name that no rule knows comes back dotted, under ``unet.``: equal names still meet.
    """
    part, name = "unet.", layer
    for start, to in _PREFIXES:
        if layer.startswith(start):
            part, name = to, layer[len(start) :]
            break
    head, _, rest = to_parts(part + dotted(name))
    if head != "unet":
        return f"{head}.{_text_name(rest)}"
    return f"unet.{_unet_name(rest, family)}"


def to_parts(place: str) -> tuple[str, str, str]:
    """``("te1", ".", "text_model....")``: the part of the model, and the layer in it."""
    return place.partition(".")


def _text_name(name: str) -> str:
    return f"text_model.{name}" if name.startswith("encoder.layers.") else name


def _unet_name(name: str, family: str) -> str:
    name = name.replace(".processor.", ".")
    if name.endswith((".attn1.to_out", ".attn2.to_out")):
        name += ".0"
    if name.startswith(_UNET_STARTS):
        try:
            return _unet_names(family).to_file(name)
        except KeyError:
            return name
    if family == "flux":
        return _flux(name)
    return name


@lru_cache(maxsize=8)
def _unet_names(family: str) -> KeyMap:
    parts = dict(unet_map(_SHAPES.get(family, _SD15)).parts)
    return KeyMap({**parts, **_EXTRA})


def _flux(name: str) -> str:
    double = re.fullmatch(r"transformer_blocks\.(\d+)\.(.+)", name)
    if double:
        return f"double_blocks.{double[1]}.{_FLUX_DOUBLE.get(double[2], double[2])}"
    single = re.fullmatch(r"single_transformer_blocks\.(\d+)\.(.+)", name)
    return f"single_blocks.{single[1]}.{_FLUX_SINGLE.get(single[2], single[2])}" if single else name


def fused_rows(place: str, outputs: int) -> tuple[tuple[str, int, int], ...]:
    """How a fused layer splits: ``(place, first row, last row + 1)``; empty for all others.

    Flux: ``qkv`` is three equal parts; ``linear1`` of a single block is q, k, v and four parts of mlp.
    """
    if re.fullmatch(r"unet\.double_blocks\.\d+\.(img|txt)_attn\.qkv", place) and outputs % 3 == 0:
        step = outputs // 3
        return tuple((f"{place}#{n}", i * step, (i + 1) * step) for i, n in enumerate("qkv"))
    if re.fullmatch(r"unet\.single_blocks\.\d+\.linear1", place) and outputs % 7 == 0:
        step = outputs // 7
        ends = ((0, 1), (1, 2), (2, 3), (3, 7))
        names = ("q", "k", "v", "mlp")
        return tuple((f"{place}#{n}", a * step, b * step) for n, (a, b) in zip(names, ends, strict=True))
    return ()


def layer_name(place: str, form: Form, family: str = "") -> str:
    """What a LoRA file in this form calls a place (without ``.lora_down.weight`` and the like)."""
    part, _, name = to_parts(place)
    if part != "unet":
        return _text_layer(part, name, form, family)
    if form == "kohya":
        # sd-scripts: SDXL and Flux in the names of the checkpoint, SD 1.x and 2.x in those of diffusers.
        return "lora_unet_" + (name if family in ("sdxl", "flux") else _library(name, family)).replace(".", "_")
    if form == "core":
        return f"transformer.{_library(name, family)}" if "#" in name else f"diffusion_model.{name}"
    if form == "peft":
        return f"base_model.model.{_library(name, family)}"
    return ("unet." if family in _SHAPES else "transformer.") + _library(name, family)


def _text_layer(part: str, name: str, form: Form, family: str) -> str:
    if form == "kohya":
        number = part[2:] if family in ("sdxl", "flux", "sd3") else ""
        return f"lora_te{number}_{name.replace('.', '_')}"
    if form == "core":
        owner = {"te1": "clip_l", "te2": "clip_g", "te3": "t5xxl"}[part]
        return f"text_encoders.{owner}.transformer.{name}"
    if form == "peft":
        return f"base_model.model.{name}"
    return {"te1": "text_encoder.", "te2": "text_encoder_2.", "te3": "text_encoder_3."}[part] + name


def _library(name: str, family: str) -> str:
    """The diffusers name of a UNet or transformer layer; the same name where diffusers has no other."""
    if family in _SHAPES:
        try:
            return _unet_names(family).to_library(name)
        except KeyError:
            return name
    if family == "flux":
        double = re.fullmatch(r"double_blocks\.(\d+)\.(.+)", name)
        if double and double[2] in _FLUX_BACK_DOUBLE:
            return f"transformer_blocks.{double[1]}.{_FLUX_BACK_DOUBLE[double[2]]}"
        single = re.fullmatch(r"single_blocks\.(\d+)\.(.+)", name)
        if single and single[2] in _FLUX_BACK_SINGLE:
            return f"single_transformer_blocks.{single[1]}.{_FLUX_BACK_SINGLE[single[2]]}"
    return name


_BLOCK = re.compile(
    r"unet\.(input_blocks\.\d+|middle_block|output_blocks\.\d+|double_blocks\.\d+|single_blocks\.\d+"
    r"|(?:single_)?transformer_blocks\.\d+|joint_blocks\.\d+|layers\.\d+|blocks\.\d+|\w+_refiner\.\d+)"
    r"|(te\d)\.(?:\w+\.)?encoder\.(?:layers|block)\.(\d+)"
)


@lru_cache(maxsize=65536)
def block_of(place: str) -> str:
    """The block that a place lies in: ``input_blocks.4``, ``double_blocks.3``, ``te1.7``, else ``other``."""
    found = _BLOCK.match(place)
    if not found:
        return "other"
    return found[1] or f"{found[2]}.{found[3]}"


@lru_cache(maxsize=65536)
def kind_of(place: str) -> Kind:
    """What a layer does: attention to itself, to the text, the feed-forward part, or something else."""
    if re.search(r"\.attn2\.|cross_attn|\.txt_attn\.", place):
        return "attn-cross"
    if re.search(r"\.attn1?\.|self_attn|_attn\.|\.attention\.|linear1#[qkv]", place):
        return "attn-self"
    return "mlp" if re.search(r"\.ff|\.mlp|_mlp|feed_forward|\.linear[12]", place) else "other"


_ORDER = ("te1", "te2", "te3", "input_blocks", "middle_block", "output_blocks", "double_blocks", "single_blocks")


def block_order(block: str) -> tuple[int, str, int]:
    """Sort key that puts blocks in the order in which the network runs them."""
    name, _, number = block.partition(".")
    rank = _ORDER.index(name) if name in _ORDER else len(_ORDER)
    return rank, name if rank == len(_ORDER) else "", int(number) if number.isdigit() else 0
