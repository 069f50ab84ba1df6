"""A loaded base model: the parts that training and sampling need, and how pictures become latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..errors import BadInputError
from ..say import say
from .conditions import Conditions
from .header import Header
from .tokenizer import token_ids
from .traits import SD15, Traits

if TYPE_CHECKING:
    import torch

Part = Literal["unet", "vae", "text_encoder"]
ALL_PARTS: tuple[Part, ...] = ("unet", "vae", "text_encoder")
TextCoder = Callable[[Any, list[str]], Conditions]
"""``embed(text encoder, texts)``, with gradients where these are on."""


def embed_clip(text_encoder: Any, texts: list[str]) -> Conditions:
    """SD 1.5: the last hidden state of CLIP-L, (n, 77, 768)."""
    device = next(text_encoder.parameters()).device
    return Conditions.of(text_encoder(token_ids(texts).to(device)).last_hidden_state.float())


class LatentCoder(Protocol):
    """Pictures (n, 3, h, w) in -1..1 <-> latents (n, c, h/8, w/8) in the denoiser's own units."""

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
    """The denoiser: a UNet or a transformer."""
    vae: LatentCoder | None
    text_encoder: Any
    resolution_px: int = 512
    latent_factor: int = 8
    """Picture pixels per latent pixel, along one side."""
    latent_channels: int = 4
    traits: Traits = SD15
    embed: TextCoder = embed_clip
    """How texts go through ``text_encoder``."""

    def embed_texts(self, texts: Sequence[str]) -> Conditions:
        """Embeddings of ``texts`` in fp32, on the text encoder's device.

        Raises:
            BadInputError: the checkpoint brought no text encoder.
        """
        if self.text_encoder is None:
            raise BadInputError(say("basemodel.brings_no_clip", name=self.path.name))
        import torch

        with torch.no_grad():
            return self.embed(self.text_encoder, list(texts))

    def file_names(self) -> dict[str, str]:
        """Module of the denoiser -> its name in the one-file layout (``input_blocks.1.1.proj_in`` ...)."""
        return {} if self.unet is None else dict(self.traits.file_names(self.unet))

    def require_vae(self) -> LatentCoder:
        """The VAE.

        Raises:
            BadInputError: the checkpoint brought none.
        """
        if self.vae is None:
            raise BadInputError(say("basemodel.brings_no_vae", name=self.path.name))
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
    def traits(self) -> Traits:
        """What the family's models have in common; a loaded base's own traits may say more."""
        ...

    @property
    def target_modules(self) -> tuple[str, ...] | str:
        """The layers that get a LoRA, as peft understands them: ends of names, or one regular expression."""
        ...

    def detect(self, header: Header) -> bool:
        """True when this family can load the file."""
        ...

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        """Load the wanted parts, in eval mode, without gradients; dtype defaults to fp32."""
        ...
