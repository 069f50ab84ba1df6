"""What a file that no family can load most probably is, in words a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..say import say
from .header import Header
from .transformer import is_quantised

UNET = "model.diffusion_model."


@dataclass(frozen=True)
class Lookalike:
    """``says`` is the key of what completes "'name' is ...", ``advice`` that of the next step, when there is one."""

    matches: Callable[[Header], bool]
    says: str
    advice: str = ""


def _ends(header: Header, *ends: str) -> bool:
    return any(name.endswith(ends) for name in header.tensors)


def _context(header: Header) -> int:
    shapes = (v.shape for k, v in header.tensors.items() if k.endswith("attn2.to_k.weight"))
    return next((shape[-1] for shape in shapes if shape), 0)


def _input_channels(header: Header) -> int:
    shape = header.shape(f"{UNET}input_blocks.0.0.weight")
    return shape[1] if len(shape) == 4 else 0


def _named(header: Header, *words: str) -> bool:
    """True when the file's name or its metadata's title holds one of ``words``."""
    texts = (header.path.stem, header.metadata.get("modelspec.title", ""))
    return any(word in text.lower() for word in words for text in texts)


def _any(header: Header, part: str) -> bool:
    return any(part in name for name in header.tensors)


def _image_channels(header: Header) -> int:
    """Inputs of FLUX's first layer."""
    shapes = (t.shape for n, t in header.tensors.items() if n.endswith("img_in.weight") and len(t.shape) == 2)
    return next((shape[1] for shape in shapes), 0)


_DE_DISTILLED = ("de-turbo", "deturbo", "de-distill", "dedistill", "de_turbo", "de_distill", "open")
DISTILLED: tuple[Lookalike, ...] = (
    Lookalike(
        lambda h: _any(h, "cap_pad_token") and _named(h, "turbo") and not _named(h, *_DE_DISTILLED),
        "basemodel.is_z_image_turbo",
        "basemodel.take_z_image_base",
    ),
    Lookalike(
        lambda h: _any(h, "vector_in.in_layer") and _named(h, "schnell") and not _named(h, *_DE_DISTILLED),
        "basemodel.is_flux_schnell",
        "basemodel.take_flux_dev_base",
    ),
    Lookalike(
        lambda h: _any(h, "double_stream_modulation_img") and _named(h, "klein") and not _named(h, "base"),
        "basemodel.is_flux2_klein",
        "basemodel.take_klein_base",
    ),
)
"""Models of a supported architecture that must not be trained on: their names alone tell."""

_A_CHECKPOINT = "basemodel.take_base"
_COMPLETE = "basemodel.take_complete"

LOOKALIKES: tuple[Lookalike, ...] = (
    Lookalike(
        lambda h: (
            _ends(h, "lora_down.weight", "lora_up.weight", "lora_A.weight", "lora_B.weight")
            or _ends(h, "hada_w1_a", "lokr_w1", "lokr_w1_a", ".lora.down.weight")
        ),
        "basemodel.is_lora",
        _A_CHECKPOINT,
    ),
    Lookalike(
        lambda h: "emb_params" in h or h.has_prefix("string_to_param") or "clip_l" in h,
        "basemodel.is_embedding",
        _A_CHECKPOINT,
    ),
    Lookalike(
        lambda h: h.has_prefix("control_model.", "zero_convs.", "controlnet_", "input_hint_block."),
        "basemodel.is_controlnet",
        _A_CHECKPOINT,
    ),
    Lookalike(
        is_quantised,
        "basemodel.is_quantised",
        "basemodel.take_plain_version",
    ),
    Lookalike(
        lambda h: h.has_prefix(f"{UNET}joint_blocks.", "joint_blocks.") and not _any(h, ".attn.ln_q."),
        "basemodel.is_sd3_first",
        "basemodel.take_sd35",
    ),
    Lookalike(lambda h: h.has_prefix(f"{UNET}joint_blocks.", "joint_blocks."), "basemodel.is_sd3_shape"),
    Lookalike(lambda h: _any(h, "nerf_blocks."), "basemodel.is_chroma_radiance", "basemodel.take_chroma"),
    Lookalike(
        lambda h: _any(h, "double_stream_modulation") and _any(h, "guidance_in.in_layer"),
        "basemodel.is_flux2_dev",
        "basemodel.take_flux2_base",
    ),
    Lookalike(
        lambda h: _any(h, "double_blocks.") and _image_channels(h) not in (0, 64, 128),
        "basemodel.is_flux_fill",
        "basemodel.take_flux1_dev",
    ),
    Lookalike(
        lambda h: _any(h, "double_blocks.") and _image_channels(h) == 128 and not _any(h, "double_stream_modulation"),
        "basemodel.is_flux_control",
        "basemodel.take_flux1_dev",
    ),
    Lookalike(
        lambda h: h.has_prefix("double_blocks.", f"{UNET}double_blocks.") or _any(h, "double_stream_modulation"),
        "basemodel.is_flux_shape",
        "basemodel.take_flux_one_file",
    ),
    Lookalike(
        lambda h: _any(h, "single_transformer_blocks."),
        "basemodel.is_flux_diffusers",
        "basemodel.take_one_file",
    ),
    Lookalike(
        lambda h: _any(h, "noise_refiner.") and _any(h, "attention.to_q."),
        "basemodel.is_z_image_diffusers",
        "basemodel.take_one_file",
    ),
    Lookalike(lambda h: _any(h, "noise_refiner."), "basemodel.is_lumina_relative"),
    Lookalike(
        lambda h: _any(h, "addition_t_embedding") or _any(h, "__index_timestep_zero__"),
        "basemodel.is_qwen_edit",
        "basemodel.take_qwen_image",
    ),
    Lookalike(lambda h: _any(h, "transformer_blocks.0.img_mod"), "basemodel.is_qwen_shape"),
    Lookalike(
        lambda h: "edm_mean" in h or "edm_vpred.sigma_max" in h,
        "basemodel.is_sdxl_edm",
        "basemodel.take_sdxl_noise",
    ),
    Lookalike(
        lambda h: _context(h) == 1280 and f"{UNET}label_emb.0.0.weight" in h,
        "basemodel.is_sdxl_refiner",
        "basemodel.take_sdxl_base",
    ),
    Lookalike(
        lambda h: _context(h) == 2048 and _input_channels(h) in (8, 9),
        "basemodel.is_sdxl_inpaint",
        "basemodel.take_normal",
    ),
    Lookalike(
        lambda h: h.has_prefix("conditioner.embedders.") or _context(h) == 2048 or f"{UNET}label_emb.0.0.weight" in h,
        "basemodel.is_sdxl_shape",
        "basemodel.take_original",
    ),
    Lookalike(lambda h: h.has_prefix("cond_stage_model.model.") or _context(h) == 1024, "basemodel.is_sd2"),
    Lookalike(
        lambda h: h.has_prefix("down_blocks.", "unet.down_blocks."),
        "basemodel.is_unet_diffusers",
        "basemodel.take_one_file",
    ),
    Lookalike(lambda h: _input_channels(h) == 9, "basemodel.is_inpaint", "basemodel.take_normal"),
    Lookalike(lambda h: _input_channels(h) == 8, "basemodel.is_pix2pix", "basemodel.take_text_to_image"),
    Lookalike(lambda h: "v_pred" in h, "basemodel.is_v_pred", "basemodel.take_epsilon"),
    Lookalike(
        lambda h: not h.has_prefix(UNET) and h.has_prefix("encoder.", "decoder.", "first_stage_model.", "taesd_"),
        "basemodel.is_vae_alone",
        _COMPLETE,
    ),
    Lookalike(
        lambda h: not h.has_prefix(UNET) and h.has_prefix("text_model.", "cond_stage_model.", "encoder.block."),
        "basemodel.is_text_alone",
        _COMPLETE,
    ),
)


def distilled(header: Header) -> str | None:
    """Why a file of a supported family must not be trained on, and what to take instead; None when it may."""
    for kind in DISTILLED:
        if kind.matches(header):
            return say("basemodel.distilled", name=header.path.name, what=say(kind.says), advice=say(kind.advice))
    return None


def describe(header: Header) -> tuple[str, str]:
    """What the file looks like, and the next step: ``("an SDXL checkpoint", "Choose ...")``."""
    for kind in LOOKALIKES:
        if kind.matches(header):
            return say(kind.says), say(kind.advice) if kind.advice else ""
    first = next(iter(header.tensors))
    return say("basemodel.unknown", first=first[:60]), ""
