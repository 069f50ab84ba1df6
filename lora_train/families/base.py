"""A loaded base model: the parts that training and sampling need, and how pictures become latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..errors import BadInputError
from .header import Header
from .keymap import unet_map
from .tokenizer import token_ids
from .unet_shape import shape_of_config

if TYPE_CHECKING:
    import torch

Part = Literal["unet", "vae", "text_encoder"]
ALL_PARTS: tuple[Part, ...] = ("unet", "vae", "text_encoder")
SD15_SCHEDULE: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "steps_offset": 1,
}


class LatentCoder(Protocol):
    """Pictures (n, 3, h, w) in -1..1 <-> latents (n, 4, h/8, w/8) in the UNet's own units."""

    def encode(self, pixels: torch.Tensor) -> torch.Tensor: ...

    def decode(self, latents: torch.Tensor) -> torch.Tensor: ...

    def to_file(self) -> dict[str, torch.Tensor]:
        """The weights under their one-file names, without ``first_stage_model.``."""
        ...


@dataclass(frozen=True)
class Base:
    """A base model in memory. Parts that were not asked for are None."""

    path: Path
    family: str
    unet: Any
    vae: LatentCoder | None
    text_encoder: Any
    schedule: Mapping[str, Any] = field(default_factory=lambda: dict(SD15_SCHEDULE))
    resolution_px: int = 512
    latent_factor: int = 8
    """Picture pixels per latent pixel, along one side."""

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Embeddings of ``texts``: fp32 ``(n, 77, 768)``, on the text encoder's device.

        Raises:
            BadInputError: the checkpoint brought no text encoder.
        """
        import torch

        if self.text_encoder is None:
            raise BadInputError(
                f"'{self.path.name}' brings no CLIP text encoder, which captions need. Use a checkpoint that has one."
            )
        device = next(self.text_encoder.parameters()).device
        with torch.no_grad():
            ids = token_ids(list(texts)).to(device)
            return self.text_encoder(ids).last_hidden_state.float()

    def file_names(self) -> dict[str, str]:
        """UNet module name -> its name in the one-file layout (``input_blocks.1.1.proj_in`` ...)."""
        if self.unet is None:
            return {}
        names = unet_map(shape_of_config(self.unet.config))
        modules = {name.rpartition(".")[0] for name in self.unet.state_dict()}
        return {module: names.to_file(module) for module in sorted(modules)}

    def require_vae(self) -> LatentCoder:
        """The VAE.

        Raises:
            BadInputError: the checkpoint brought none.
        """
        if self.vae is None:
            raise BadInputError(
                f"'{self.path.name}' brings no VAE, which turns photos into latents. Use a checkpoint that has one."
            )
        return self.vae


class Family(Protocol):
    """One kind of base model that Lorasmith can train."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def resolution_px(self) -> int: ...
    @property
    def preset(self) -> str: ...
    @property
    def target_modules(self) -> tuple[str, ...]:
        """Ends of the names of the layers that get a LoRA, as peft understands them."""
        ...

    def detect(self, header: Header) -> bool:
        """True when this family can load the file."""
        ...

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        """Load the wanted parts, in eval mode, without gradients; dtype defaults to fp32."""
        ...
