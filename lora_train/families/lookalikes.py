"""What a file that no family can load most probably is, in words a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .header import Header
from .transformer import is_quantised

UNET = "model.diffusion_model."


@dataclass(frozen=True)
class Lookalike:
    """``says`` completes "'name' is ..."; ``advice`` is the next step, when there is a better one."""

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
        "Z-Image Turbo, which was distilled to 8 steps: training on it undoes the distillation, and pictures blur",
        "Train on Z-Image (base) or on a de-distilled Turbo instead; the LoRA then works with Turbo too.",
    ),
    Lookalike(
        lambda h: _any(h, "vector_in.in_layer") and _named(h, "schnell") and not _named(h, *_DE_DISTILLED),
        "FLUX.1 schnell, which was distilled to 4 steps: training on it undoes the distillation",
        "Train on FLUX.1 dev or on a de-distilled schnell instead; the LoRA then works with schnell too.",
    ),
    Lookalike(
        lambda h: _any(h, "double_stream_modulation_img") and _named(h, "klein") and not _named(h, "base"),
        "FLUX.2 klein in its distilled form (4 steps): training on it undoes the distillation",
        "Train on FLUX.2 klein base instead, a file with 'base' in its name; the LoRA then works with klein too.",
    ),
)
"""Models of a supported architecture that must not be trained on: their names alone tell."""

_A_CHECKPOINT = "Choose the base model that the photos should be trained on."
_COMPLETE = "Choose a complete checkpoint (UNet, VAE and text encoder in one file)."

LOOKALIKES: tuple[Lookalike, ...] = (
    Lookalike(
        lambda h: (
            _ends(h, "lora_down.weight", "lora_up.weight", "lora_A.weight", "lora_B.weight")
            or _ends(h, "hada_w1_a", "lokr_w1", "lokr_w1_a", ".lora.down.weight")
        ),
        "a LoRA, not a base model",
        _A_CHECKPOINT,
    ),
    Lookalike(
        lambda h: "emb_params" in h or h.has_prefix("string_to_param") or "clip_l" in h,
        "a textual-inversion embedding, not a base model",
        _A_CHECKPOINT,
    ),
    Lookalike(
        lambda h: h.has_prefix("control_model.", "zero_convs.", "controlnet_", "input_hint_block."),
        "a ControlNet, not a base model",
        _A_CHECKPOINT,
    ),
    Lookalike(
        is_quantised,
        "a quantised model (packed numbers with scales)",
        "Choose its bf16, fp16 or plain fp8 version.",
    ),
    Lookalike(
        lambda h: h.has_prefix(f"{UNET}joint_blocks.", "joint_blocks.") and not _any(h, ".attn.ln_q."),
        "an SD3 model of the first version (3.0)",
        "Choose Stable Diffusion 3.5.",
    ),
    Lookalike(lambda h: h.has_prefix(f"{UNET}joint_blocks.", "joint_blocks."), "an SD3 model of an unusual shape"),
    Lookalike(lambda h: _any(h, "nerf_blocks."), "Chroma Radiance, which works on pixels", "Choose Chroma."),
    Lookalike(
        lambda h: _any(h, "double_stream_modulation") and _any(h, "guidance_in.in_layer"),
        "FLUX.2 dev",
        "Choose FLUX.2 klein base.",
    ),
    Lookalike(
        lambda h: _any(h, "double_blocks.") and _image_channels(h) not in (0, 64, 128),
        "a FLUX model for filling or editing (it reads a second picture)",
        "Choose FLUX.1 dev.",
    ),
    Lookalike(
        lambda h: _any(h, "double_blocks.") and _image_channels(h) == 128 and not _any(h, "double_stream_modulation"),
        "a FLUX model with control input (Depth or Canny)",
        "Choose FLUX.1 dev.",
    ),
    Lookalike(
        lambda h: h.has_prefix("double_blocks.", f"{UNET}double_blocks.") or _any(h, "double_stream_modulation"),
        "a FLUX model of an unusual shape",
        "Choose FLUX.1 dev or FLUX.2 klein base in one .safetensors file.",
    ),
    Lookalike(
        lambda h: _any(h, "single_transformer_blocks."),
        "a FLUX model in the diffusers layout",
        "Choose the model as one .safetensors file, as ComfyUI loads it.",
    ),
    Lookalike(
        lambda h: _any(h, "noise_refiner.") and _any(h, "attention.to_q."),
        "a Z-Image model in the diffusers layout",
        "Choose the model as one .safetensors file, as ComfyUI loads it.",
    ),
    Lookalike(lambda h: _any(h, "noise_refiner."), "a relative of Z-Image and Lumina that is not supported"),
    Lookalike(
        lambda h: _any(h, "addition_t_embedding") or _any(h, "__index_timestep_zero__"),
        "a Qwen-Image model for editing or layers",
        "Choose Qwen-Image.",
    ),
    Lookalike(lambda h: _any(h, "transformer_blocks.0.img_mod"), "a Qwen-Image model of an unusual shape"),
    Lookalike(
        lambda h: "edm_mean" in h or "edm_vpred.sigma_max" in h,
        "an SDXL checkpoint of the EDM kind (Playground 2.5, CosXL)",
        "Choose an SDXL checkpoint that predicts noise or v.",
    ),
    Lookalike(
        lambda h: _context(h) == 1280 and f"{UNET}label_emb.0.0.weight" in h,
        "the SDXL refiner",
        "Choose the SDXL base model, or a checkpoint made from it.",
    ),
    Lookalike(
        lambda h: _context(h) == 2048 and _input_channels(h) in (8, 9),
        "an SDXL checkpoint for inpainting or editing",
        "Choose its normal version.",
    ),
    Lookalike(
        lambda h: h.has_prefix("conditioner.embedders.") or _context(h) == 2048 or f"{UNET}label_emb.0.0.weight" in h,
        "an SDXL checkpoint that is incomplete or of an unusual shape",
        "Choose the original checkpoint in one .safetensors file.",
    ),
    Lookalike(lambda h: h.has_prefix("cond_stage_model.model.") or _context(h) == 1024, "an SD 2.x checkpoint"),
    Lookalike(
        lambda h: h.has_prefix("down_blocks.", "unet.down_blocks."),
        "a UNet in the diffusers folder layout",
        "Choose the model as one .safetensors file, as ComfyUI loads it.",
    ),
    Lookalike(lambda h: _input_channels(h) == 9, "an inpainting checkpoint", "Choose its normal version."),
    Lookalike(lambda h: _input_channels(h) == 8, "an instruct-pix2pix checkpoint", "Choose a text-to-image model."),
    Lookalike(lambda h: "v_pred" in h, "a v-prediction checkpoint", "Choose one that predicts noise (epsilon)."),
    Lookalike(
        lambda h: not h.has_prefix(UNET) and h.has_prefix("encoder.", "decoder.", "first_stage_model.", "taesd_"),
        "a VAE alone",
        _COMPLETE,
    ),
    Lookalike(
        lambda h: not h.has_prefix(UNET) and h.has_prefix("text_model.", "cond_stage_model.", "encoder.block."),
        "a text encoder alone",
        _COMPLETE,
    ),
)


def distilled(header: Header) -> str | None:
    """Why a file of a supported family must not be trained on, and what to take instead; None when it may."""
    for kind in DISTILLED:
        if kind.matches(header):
            return f"'{header.path.name}' is {kind.says}. {kind.advice}"
    return None


def describe(header: Header) -> tuple[str, str]:
    """What the file looks like, and the next step: ``("an SDXL checkpoint", "Choose ...")``."""
    for kind in LOOKALIKES:
        if kind.matches(header):
            return kind.says, kind.advice
    first = next(iter(header.tensors))
    return f"no model that Lorasmith knows (its first tensor is '{first[:60]}')", ""
