"""Training the text encoder along: captions go through it in every step instead of coming from the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..families.base import TextCoder
from ..families.conditions import Conditions

if TYPE_CHECKING:
    import torch

TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
"""The layers of CLIP that get a LoRA, as kohya's trainer has them."""


@dataclass(frozen=True)
class LiveWords:
    """Texts that are encoded when they are asked for, with gradients where these are on.

    Stands where :class:`~lora_train.families.conditions.Conditions` does in the loop: ``rows`` chooses, ``to`` gives.
    """

    encoder: Any
    embed: TextCoder
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, chosen: Sequence[int]) -> LiveWords:
        return LiveWords(self.encoder, self.embed, tuple(self.texts[i] for i in chosen))

    def to(self, device: object, dtype: torch.dtype | None = None) -> Conditions:
        """The texts as the encoder understands them now."""
        return self.embed(self.encoder, list(self.texts)).to(device, dtype)
