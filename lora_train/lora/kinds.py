"""What kind of adapter a LoRA file holds, and for which model family, told from its header alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..families.header import Header
from .keys import split_name
from .places import Form

AdapterKind = Literal["lora", "loha", "lokr", "dora", "diff", "oft", "glora", "ia3", "unknown"]
FileForm = Literal["kohya", "diffusers", "peft", "core", "mixed", "other"]

# The end of a tensor's name -> the kind, in the words of LyCORIS and of ComfyUI's weight_adapter.
_MAGNITUDE = ".lora_magnitude_vector"
_ENDS: tuple[tuple[tuple[str, ...], AdapterKind], ...] = (
    ((".dora_scale", _MAGNITUDE, f"{_MAGNITUDE}.weight", f"{_MAGNITUDE}.default.weight"), "dora"),
    ((".hada_w1_a", ".hada_w1_b", ".hada_w2_a", ".hada_w2_b", ".hada_t1", ".hada_t2"), "loha"),
    ((".lokr_w1", ".lokr_w1_a", ".lokr_w1_b", ".lokr_w2", ".lokr_w2_a", ".lokr_w2_b", ".lokr_t2"), "lokr"),
    ((".diff", ".diff_b", ".set_weight", ".w_norm", ".b_norm", ".reshape_weight"), "diff"),
    ((".oft_blocks", ".oft_diag", ".rescale"), "oft"),
    ((".a1.weight", ".a2.weight", ".b1.weight", ".b2.weight"), "glora"),
    ((".on_input",), "ia3"),
)  # fmt: skip
_WIDTHS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}
_NAMED = (
    ("double_stream_modulation", "flux2"), ("double_blocks", "flux"), ("single_transformer_blocks", "flux"),
    ("joint_blocks", "sd3"), ("noise_refiner", "z-image"), ("img_mod", "qwen-image"), ("cross_attn_k_img", "wan"),
    ("patch_embedding", "wan"), ("llm_adapter", "anima"),
)  # fmt: skip
_ONLY_SDXL = ("lora_te2_", "1_transformer_blocks_9_", ".1.transformer_blocks.9.")
_TITLES = (
    ("sdxl", "sdxl"), ("sd_xl", "sdxl"), ("stable-diffusion-xl", "sdxl"), ("sd_v1", "sd15"), ("sd_1.5", "sd15"),
    ("stable-diffusion-v1", "sd15"), ("sd_v2", "sd2"), ("stable-diffusion-v2", "sd2"), ("flux2", "flux2"),
    ("flux", "flux"), ("sd3", "sd3"), ("stable-diffusion-3", "sd3"), ("qwen", "qwen-image"), ("wan", "wan"),
)  # fmt: skip


def kind_of_tensor(name: str) -> AdapterKind:
    """The adapter kind that one tensor belongs to."""
    if split_name(name)[1] in ("down", "up", "mid", "alpha"):
        return "lora"
    for ends, kind in _ENDS:
        if name.endswith(ends):
            return kind
    return "unknown"


def kinds_of(header: Header) -> dict[AdapterKind, int]:
    """Layers per kind; a DoRA layer counts once, as DoRA."""
    layers: dict[str, AdapterKind] = {}
    for name in header.tensors:
        layer, role = split_name(name)
        if role == "alpha":
            continue
        kind = kind_of_tensor(name)
        layer = layer if role != "other" else _layer_of_other(name)
        if layers.get(layer) in (None, "lora"):
            layers[layer] = kind
    counts: dict[AdapterKind, int] = {}
    for kind in layers.values():
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _layer_of_other(name: str) -> str:
    for ends, _ in _ENDS:
        for end in ends:
            if name.endswith(end):
                return name[: -len(end)]
    return name


def form_of(header: Header) -> FileForm:
    """The naming convention of the file; ``mixed`` when there is more than one."""
    forms: set[FileForm] = {_form(name) for name in header.tensors if split_name(name)[1] != "alpha"}
    return forms.pop() if len(forms) == 1 else "mixed"


def _form(name: str) -> FileForm:
    if name.startswith(("lora_unet_", "lora_te", "lora_transformer_", "lycoris_")):
        return "kohya"
    if name.startswith("base_model.model."):
        return "peft"
    if name.startswith(("diffusion_model.", "text_encoders.")):
        return "core"
    return "diffusers" if name.startswith(("unet.", "text_encoder", "transformer.")) else "other"


def writable(form: FileForm) -> Form:
    """The same form where it is one that is written, else kohya's."""
    return form if form in ("kohya", "diffusers", "peft", "core") else "kohya"  # type: ignore[return-value]


def family_of(header: Header) -> str:
    """``sd15``, ``sdxl``, ``flux`` ... by names and sizes, then by what the metadata say; else ``unknown``."""
    names = "\n".join(header.tensors)
    for part, family in _NAMED:
        if part in names:
            return family
    width = _text_width(header)
    if width in _WIDTHS:
        # SD 1.5 has no attention in the first block of the way up; the starter has it there.
        small = width == 768 and ("up_blocks_0_attentions" in names or "up_blocks.0.attentions" in names)
        return "starter" if small else _WIDTHS[width]
    return _told_family(header.metadata) or ("sdxl" if any(part in names for part in _ONLY_SDXL) else "unknown")


def _text_width(header: Header) -> int:
    for name, info in header.tensors.items():
        layer, role = split_name(name)
        reads = role == "down" or name.endswith(".hada_w1_b")
        text_side = "attn2" in layer and layer.removesuffix(".hada_w1_b").endswith(("to_k", "to_v"))
        if reads and text_side and len(info.shape) > 1:
            return info.shape[1]
    return 0


def _told_family(metadata: Mapping[str, str]) -> str:
    said = " ".join((metadata.get("ss_base_model_version", ""), metadata.get("modelspec.architecture", ""))).lower()
    return next((family for word, family in _TITLES if word in said), "")
