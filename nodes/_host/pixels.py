"""Pictures, latents and texts between ComfyUI's form and the core's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...lora_train.errors import BadInputError
from ...lora_train.say import say

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ...lora_train.families.conditions import Conditions


def image_batch(pictures: Sequence[Image]) -> torch.Tensor:
    """RGB pictures of one size as ComfyUI's IMAGE: ``(n, height, width, 3)``, float32, 0 to 1."""
    import numpy as np
    import torch

    arrays = [np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0 for picture in pictures]
    return torch.from_numpy(np.stack(arrays))


def pictures_of(images: torch.Tensor) -> list[Image]:
    """ComfyUI's IMAGE as RGB pictures."""
    import numpy as np
    from PIL.Image import fromarray

    arrays = (images[..., :3].clamp(0, 1) * 255).round().cpu().numpy().astype(np.uint8)
    return [fromarray(array) for array in arrays]


def encode_picture(vae: Any, base_format: Any, picture: Image) -> torch.Tensor:
    """One picture as the latent that the model sees in ComfyUI: ``(c, h, w)``, float32, on the CPU."""
    latent = base_format.process_in(vae.encode(image_batch([picture])))[0]
    latent = latent.squeeze(1) if latent.dim() == 4 else latent  # video VAEs count frames
    return latent.float().cpu().clone()


def encode_text(clip: Any, text: str, tokens: int | None = 77, pooled: bool = False) -> Conditions:
    """A text as ComfyUI's CLIP gives it when sampling, in one row, float32, on the CPU.

    ComfyUI reads longer texts in blocks of 77 tokens; with ``tokens`` 77 the first block is taken.
    Tokens that the text encoder masks out are left out.

    Raises:
        BadInputError: the model reads a vector a text and this text encoder gives none.
    """
    from ...lora_train.families.conditions import Conditions

    told = clip.encode_from_tokens(clip.tokenize(text), return_pooled=True, return_dict=True)
    rows, mask, vector = told["cond"], told.get("attention_mask"), told.get("pooled_output")
    real = rows.shape[1] if mask is None else max(1, int(mask.sum()))
    real = real if tokens is None else min(real, tokens)
    if pooled and vector is None:
        raise BadInputError(say("node.no_pooled"))
    return Conditions.of(rows[:1, :real].float().cpu().clone(), vector[:1].float().cpu().clone() if pooled else None)
