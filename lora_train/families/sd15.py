"""Stable Diffusion 1.5 from one ``.safetensors`` file: the real shape, and small ones like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import ALL_PARTS, Base, LatentCoder, Part
from .header import Header, read_header
from .keymap import unet_map
from .loading import explained, load_text_encoder, load_unet, read_prefixed
from .traits import SD15 as TRAITS
from .traits import Traits
from .unet_shape import UnetShape, infer_shape, shape_of_config
from .vae import PREFIX as VAE
from .vae import KlCoder, TinyCoder, load_vae

if TYPE_CHECKING:
    import torch

UNET = "model.diffusion_model."
TEXT = "cond_stage_model."
MODEL_CHANNELS = 320
CONTEXT_DIM = 768


@dataclass(frozen=True)
class Sd15Family:
    """One preset of the SD 1.5 loader; ``starter`` picks the small embedded shape."""

    id: str
    title: str
    resolution_px: int
    preset: str
    starter: bool
    target_modules: tuple[str, ...] = (
        "to_q",
        "to_k",
        "to_v",
        "to_out.0",
        "ff.net.0.proj",
        "ff.net.2",
        "proj_in",
        "proj_out",
    )
    traits: Traits = TRAITS

    def detect(self, header: Header) -> bool:
        shape = shape_of(header)
        return shape is not None and shape.is_starter == self.starter

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        import torch

        dtype = dtype or torch.float32
        wanted = {"unet": UNET, "vae": VAE, "text_encoder": TEXT}
        with explained(path, "Stable Diffusion 1.5"):
            shape = shape_of(read_header(path))
            if shape is None:
                raise KeyError("input_blocks.0.0.weight")
            kinds = {"unet": dtype}
            tensors = {part: read_prefixed(path, wanted[part], device, kinds.get(part)) for part in parts}
            return Base(
                path=Path(path),
                family=self.id,
                unet=load_unet(tensors["unet"], shape, device, dtype) if "unet" in parts else None,
                vae=load_vae(tensors["vae"], device, torch.float32) if "vae" in parts else None,
                text_encoder=load_text_encoder(tensors.get("text_encoder", {}), device),
                resolution_px=self.resolution_px,
            )


STARTER = Sd15Family("starter", "the embedded starter", 96, "starter", starter=True)
SD15 = Sd15Family("sd15", "Stable Diffusion 1.5", 512, "sd15", starter=False)


def shape_of(header: Header) -> UnetShape | None:
    """Shape of the UNet in ``header`` when it is of the SD 1.5 kind, else None."""
    shapes = {n.removeprefix(UNET): t.shape for n, t in header.tensors.items() if n.startswith(UNET)}
    if "label_emb.0.0.weight" in shapes or "v_pred" in header:
        return None
    try:
        shape = infer_shape(shapes)
    except (ValueError, IndexError):
        return None
    convolution = all(len(s) == 4 for n, s in shapes.items() if n.endswith(".proj_in.weight"))
    four = shape.in_channels == shape.out_channels == 4
    fits = shapes["input_blocks.0.0.weight"][0] == MODEL_CHANNELS and shape.context_dim == CONTEXT_DIM
    return shape if fits and four and convolution else None


def single_file(*, unet: Any, vae: Any, text_encoder: Any, vae_scale: float = 0.18215) -> dict[str, torch.Tensor]:
    """All weights under their names in a one-file SD 1.5 checkpoint, as ComfyUI loads it.

    Args:
        unet: diffusers UNet2DConditionModel of the SD 1.5 kind.
        vae: AutoencoderKL, AutoencoderTiny (then ``vae_scale`` is stored too), or a coder.
        text_encoder: transformers CLIPTextModel.
    """
    config = unet.config
    names = unet_map(shape_of_config(config))
    tensors = {UNET + names.to_file(n): v for n, v in unet.state_dict().items()}
    tensors |= {VAE + n: v for n, v in _coder(vae, vae_scale).to_file().items()}
    for name, value in text_encoder.state_dict().items():
        if "position_ids" not in name:
            tensors[f"{TEXT}transformer.text_model.{name.removeprefix('text_model.')}"] = value
    return {name: value.detach() for name, value in tensors.items()}


def _coder(vae: Any, scale: float) -> LatentCoder:
    if hasattr(vae, "to_file"):
        return vae
    return TinyCoder(vae, scale) if type(vae).__name__ == "AutoencoderTiny" else KlCoder(vae)
