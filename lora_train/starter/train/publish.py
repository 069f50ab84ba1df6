"""Put the trained weights and their curves into the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

from ...families.sd15 import single_file
from .. import STARTER_UNET
from ..checkpoint import SHIPPED, pack
from .vae import new_vae


class _NoText:
    """Stands for the text encoder, which is not shipped."""

    def state_dict(self) -> dict[str, object]:
        return {}


def publish(work: Path) -> Path:
    """Write ``weights/base.safetensors`` and the curves from the files in ``work``."""
    vae, unet = new_vae(), UNet2DConditionModel(**STARTER_UNET)
    vae.load_state_dict(load_file(Path(work) / "vae.safetensors"))
    unet.load_state_dict(load_file(Path(work) / "unet.safetensors"))
    tensors = single_file(unet=unet, vae=vae, text_encoder=_NoText())
    pack({name: value.float().numpy() for name, value in tensors.items()}, SHIPPED)
    for curve in ("vae", "unet", "embedder"):
        source = Path(work) / f"{curve}.jsonl"
        if source.exists():
            shutil.copyfile(source, SHIPPED.parent / f"{curve}.jsonl")
    return SHIPPED
