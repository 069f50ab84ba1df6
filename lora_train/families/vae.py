"""The two VAEs that Stable Diffusion checkpoints carry: the KL autoencoder, and the tiny TAESD.

Both speak latents in the UNet's own units (ComfyUI's ``process_in`` applied).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .base import LatentCoder
from .keymap import KeyMap, kl_vae_map, taesd_map

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

PREFIX = "first_stage_model."
SD15_SCALE = 0.18215  # UNet latent = VAE latent * this
SDXL_SCALE = 0.13025
_LINEAR_ENDS = (".q.weight", ".k.weight", ".v.weight", ".proj_out.weight")


@dataclass(frozen=True)
class KlCoder:
    """diffusers' AutoencoderKL; encodes to the mean of its distribution (deterministic)."""

    model: Any
    unit: float = SD15_SCALE
    """UNet latent = VAE latent * this."""

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        first = next(self.model.parameters())
        moments = self.model.encode(pixels.to(first.device, first.dtype)).latent_dist
        return moments.mode().float() * self.unit

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        first = next(self.model.parameters())
        return self.model.decode((latents / self.unit).to(first.device, first.dtype)).sample.float()

    def to_file(self) -> dict[str, torch.Tensor]:
        state = self.model.state_dict()
        names = kl_vae_map(len(self.model.config["block_out_channels"]))
        named = {names.to_file(name): value for name, value in state.items()}
        return {n: v[:, :, None, None] if _is_attention(n) else v for n, v in named.items()}


@dataclass(frozen=True)
class TinyCoder:
    """diffusers' AutoencoderTiny with the two numbers that ComfyUI stores beside its weights.

    ComfyUI: ``encode(x) = E(x) / scale + shift`` and ``decode(z) = D((z - shift) * scale)``; UNet
    latents are those times ``unit``. A ``scale`` of 0.18215 with ``shift`` 0 cancels that factor.
    """

    model: Any
    scale: float = 1.0
    shift: float = 0.0
    unit: float = SD15_SCALE

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        first = next(self.model.parameters())
        raw = self.model.encoder(pixels.to(first.device, first.dtype)).float()
        return (raw / self.scale + self.shift) * self.unit

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        first = next(self.model.parameters())
        inner = (latents / self.unit - self.shift) * self.scale
        return self.model.decoder(inner.to(first.device, first.dtype)).float()

    def to_file(self) -> dict[str, torch.Tensor]:
        import torch

        names = taesd_map()
        named = {names.to_file(name): value for name, value in self.model.state_dict().items()}
        numbers = {"vae_scale": torch.tensor(self.scale), "vae_shift": torch.tensor(self.shift)}
        return {**named, **numbers}


def load_vae(tensors: Tensors, device: str, dtype: Any, unit: float = SD15_SCALE) -> LatentCoder | None:
    """The VAE among ``tensors`` (names without ``first_stage_model.``); None when there is none.

    Raises:
        KeyError, ValueError, RuntimeError: it is incomplete or of an unknown shape.
    """
    if "taesd_decoder.1.weight" in tensors:
        return _load_tiny(tensors, device, dtype, unit)
    if "decoder.conv_in.weight" in tensors:
        return _load_kl(tensors, device, dtype, unit)
    return None


def _load_tiny(tensors: Tensors, device: str, dtype: Any, unit: float) -> TinyCoder:
    from diffusers import AutoencoderTiny

    model = AutoencoderTiny(latent_channels=tensors["taesd_decoder.1.weight"].shape[1])
    numbers = {n: float(tensors[n]) for n in ("vae_scale", "vae_shift") if n in tensors}
    weights = {n: v.to(dtype) for n, v in tensors.items() if n.startswith("taesd_")}
    model.load_state_dict(_named(weights, taesd_map()), assign=True)
    ready = model.to(device).eval().requires_grad_(False)
    return TinyCoder(ready, numbers.get("vae_scale", 1.0), numbers.get("vae_shift", 0.0), unit)


def _load_kl(tensors: Tensors, device: str, dtype: Any, unit: float) -> KlCoder:
    from diffusers import AutoencoderKL

    width = tensors["encoder.conv_in.weight"].shape[0]
    levels = 0
    widths: list[int] = []
    while f"encoder.down.{levels}.block.0.conv1.weight" in tensors:
        widths.append(tensors[f"encoder.down.{levels}.block.0.conv1.weight"].shape[0])
        levels += 1
    model = AutoencoderKL(
        block_out_channels=tuple(widths),
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=2,
        norm_num_groups=min(32, width),
        latent_channels=tensors["decoder.conv_in.weight"].shape[1],
        sample_size=512,
        scaling_factor=unit,
    )
    known = {n: v.to(dtype) for n, v in tensors.items() if not n.startswith(("loss.", "model_ema."))}
    flat = {n: v.flatten(1) if _is_attention(n) else v for n, v in known.items()}
    model.load_state_dict(_named(flat, kl_vae_map(levels)), assign=True)
    return KlCoder(model.to(device).eval().requires_grad_(False), unit)


def _named(tensors: Tensors, names: KeyMap) -> dict[str, torch.Tensor]:
    return {names.to_library(name): value for name, value in tensors.items()}


def _is_attention(name: str) -> bool:
    """Weights that are 1x1 convolutions in the one-file layout and linear layers in diffusers."""
    return ".attn_1." in name and name.endswith(_LINEAR_ENDS)
