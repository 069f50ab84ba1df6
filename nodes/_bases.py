"""From a choice in the list to a loaded base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import _host as host
from ._types import Base

STARTER = "Lorasmith starter (built in)"
ALONE = " (diffusion model)"


def choices() -> list[str]:
    """The starter, every checkpoint, and every diffusion model with a mark behind its name."""
    return [STARTER, *host.checkpoint_names(), *(name + ALONE for name in host.diffusion_model_names())]


def base_file(choice: str) -> Path:
    """The checkpoint file behind a choice; its family is known and can be trained.

    Raises:
        BadInputError: the file is gone, is no checkpoint, or is of a family that is not supported.
    """
    from ..lora_train.families.registry import detect

    path = _path(choice)
    detect(path)
    return path


def _path(choice: str) -> Path:
    if choice == STARTER:
        return _starter()
    if choice.endswith(ALONE):
        return host.diffusion_model_path(choice.removesuffix(ALONE))
    return host.checkpoint_path(choice)


def _starter() -> Path:
    from ..lora_train.starter import starter_checkpoint

    return starter_checkpoint()


def load_base(choice: str) -> tuple[Any, Any, Any, Base]:
    """MODEL, CLIP, VAE through ComfyUI's loader, and the file for the training process.

    A diffusion model alone has no CLIP and no VAE: those are None then.
    """
    from ..lora_train.families.registry import detect

    path = base_file(choice)
    family = detect(path)
    if choice.endswith(ALONE):
        model, clip, vae = host.load_diffusion_model(path), None, None
    else:
        model, clip, vae = host.load_checkpoint(path)
    base = Base(path, family.id, family.title, family.resolution_px, host.latent_format(model))
    return model, clip, vae, base
