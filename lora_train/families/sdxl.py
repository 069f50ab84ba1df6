"""SDXL from one ``.safetensors`` file, and all that descend from it: Pony, Illustrious, NoobAI, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import ALL_PARTS, Base, Part
from .conditions import Conditions
from .denoising import Diffusion, call_sdxl
from .header import Header, read_header
from .keymap import open_clip_map
from .loading import explained, load_text_encoder, load_unet, read_prefixed
from .sd15 import Sd15Family
from .tokenizer import END_ID, token_ids
from .traits import Traits
from .unet_shape import UnetShape, infer_shape
from .vae import PREFIX as VAE
from .vae import SDXL_SCALE, load_vae

if TYPE_CHECKING:
    import torch

UNET = "model.diffusion_model."
TEXT_L = "conditioner.embedders.0."
TEXT_G = "conditioner.embedders.1.model."
MODEL_CHANNELS, CONTEXT_DIM, VECTOR_DIM = 320, 2048, 2816
TRAITS = Traits(
    call=call_sdxl,
    pooled=True,
    base_version="sdxl_base_v1-0",
    architecture="stable-diffusion-xl-v1-base/lora",
)
_VELOCITY = ("v", "v_prediction", "v-prediction")


@dataclass(frozen=True)
class SdxlFamily:
    """The SDXL loader. Noise or v-prediction is told from the file."""

    id: str = "sdxl"
    title: str = "SDXL"
    resolution_px: int = 1024
    preset: str = "sdxl"
    target_modules: tuple[str, ...] = Sd15Family.target_modules
    traits: Traits = TRAITS

    def detect(self, header: Header) -> bool:
        return shape_of(header) is not None

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        import torch

        dtype = dtype or torch.float32
        with explained(path, self.title):
            header = read_header(path)
            shape = shape_of(header)
            if shape is None:
                raise KeyError("label_emb.0.0.weight")
            unet = None
            if "unet" in parts:
                unet = load_unet(read_prefixed(path, UNET, device, dtype), shape, device, dtype)
            coder = read_prefixed(path, VAE, device) if "vae" in parts else {}
            return Base(
                path=Path(path),
                family=self.id,
                unet=unet,
                vae=load_vae(coder, device, torch.float32, SDXL_SCALE),
                text_encoder=load_encoders(path, device) if "text_encoder" in parts else None,
                resolution_px=self.resolution_px,
                traits=replace(TRAITS, objective=objective_of(header)),
                embed=embed,
            )


SDXL = SdxlFamily()


def shape_of(header: Header) -> UnetShape | None:
    """Shape of the UNet in ``header`` when it is of SDXL's kind, else None."""
    if "edm_mean" in header or "edm_vpred.sigma_max" in header:
        return None
    shapes = {n.removeprefix(UNET): t.shape for n, t in header.tensors.items() if n.startswith(UNET)}
    try:
        shape = infer_shape(shapes)
    except (ValueError, IndexError):
        return None
    channels = shapes["input_blocks.0.0.weight"][0]
    fits = (channels, shape.context_dim, shape.vector_dim) == (MODEL_CHANNELS, CONTEXT_DIM, VECTOR_DIM)
    return shape if fits and shape.linear and shape.in_channels == shape.out_channels == 4 else None


def objective_of(header: Header) -> Diffusion:
    """What the checkpoint predicts, by the marks that ComfyUI reads (``v_pred``, ``ztsnr``) or its metadata."""
    written = header.metadata.get("modelspec.prediction_type", "").lower()
    velocity = "v_pred" in header or written in _VELOCITY
    return Diffusion("v_prediction" if velocity else "epsilon", zero_terminal_snr=velocity and "ztsnr" in header)


def load_encoders(path: Path, device: str) -> Any:
    """CLIP-L as ``te1`` and CLIP-G as ``te2`` in a ModuleDict; None when the file lacks one of them."""
    import torch

    small = read_prefixed(path, TEXT_L, device)
    large = read_prefixed(path, TEXT_G, device)
    if not small or not large:
        return None
    first = load_text_encoder({n: v for n, v in small.items() if not n.endswith("text_projection.weight")}, device)
    second = load_text_encoder(open_clip_tensors(large), device, "gelu")
    return torch.nn.ModuleDict({"te1": first, "te2": second})


def open_clip_tensors(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """open_clip's text tensors under the names of transformers."""
    layers = 1 + max(int(n.split(".")[2]) for n in tensors if n.startswith("transformer.resblocks."))
    names = open_clip_map(layers)
    found = {"embeddings.position_embedding.weight": tensors["positional_embedding"]}
    found["text_projection.weight"] = tensors["text_projection"].T.contiguous()
    for name, value in tensors.items():
        head, fused, leaf = name.partition(".attn.in_proj_")
        if fused:
            layer = names.to_library(f"{head}.ln_1").removesuffix(".layer_norm1")
            for part, rows in zip("qkv", value.chunk(3), strict=True):
                found[f"{layer}.self_attn.{part}_proj.{leaf}"] = rows
        elif name.startswith(("transformer.", "token_embedding.", "ln_final.")):
            found[names.to_library(name)] = value
    return found


def embed(encoders: Any, texts: list[str]) -> Conditions:
    """Text (n, 77, 2048): the last but one layer of both encoders; pooled (n, 1280): CLIP-G's projection.

    CLIP-G is padded with token 0, as its own tokenizer does.
    """
    import torch

    device = next(encoders.parameters()).device
    first = encoders["te1"](token_ids(texts).to(device), output_hidden_states=True)
    ids = token_ids(texts, padding_id=0).to(device)
    second = encoders["te2"].text_model(ids, output_hidden_states=True)
    text = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
    ends = (ids == END_ID).int().argmax(dim=1)
    last = second.last_hidden_state[torch.arange(len(ids), device=device), ends]
    return Conditions.of(text.float(), encoders["te2"].text_projection(last).float())
