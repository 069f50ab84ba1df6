"""What a file that no family can load most probably is, in words a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .header import Header

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
    Lookalike(lambda h: h.has_prefix(f"{UNET}joint_blocks.", "joint_blocks."), "an SD3 model"),
    Lookalike(
        lambda h: (
            any(".img_mlp.0." in n or "double_stream_modulation" in n for n in h.tensors)
            and any("double_" in n for n in h.tensors)
        ),
        "a FLUX model",
    ),
    Lookalike(
        lambda h: h.has_prefix("double_blocks.", f"{UNET}double_blocks.", "single_transformer_blocks."),
        "a FLUX model",
    ),
    Lookalike(lambda h: any("noise_refiner." in n for n in h.tensors), "a Z-Image or Lumina model"),
    Lookalike(lambda h: any("transformer_blocks.0.img_mod" in n for n in h.tensors), "a Qwen-Image model"),
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


def describe(header: Header) -> tuple[str, str]:
    """What the file looks like, and the next step: ``("an SDXL checkpoint", "Choose ...")``."""
    for kind in LOOKALIKES:
        if kind.matches(header):
            return kind.says, kind.advice
    first = next(iter(header.tensors))
    return f"no model that Lorasmith knows (its first tensor is '{first[:60]}')", ""
