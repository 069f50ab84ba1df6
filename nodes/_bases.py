"""From a choice in the list to a loaded base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import _host as host
from ._types import Base

STARTER = "Lorasmith starter (built in)"


def base_file(choice: str) -> Path:
    """The checkpoint file behind a choice; its family is known and can be trained.

    Raises:
        BadInputError: the file is gone, is no checkpoint, or is of a family that is not supported.
    """
    from ..lora_train.families.registry import detect

    path = _starter() if choice == STARTER else host.checkpoint_path(choice)
    detect(path)
    return path


def _starter() -> Path:
    from ..lora_train.starter import starter_checkpoint

    return starter_checkpoint()


def load_base(choice: str) -> tuple[Any, Any, Any, Base]:
    """MODEL, CLIP, VAE through ComfyUI's loader, and the file for the training process."""
    from ..lora_train.families.registry import detect

    path = base_file(choice)
    family = detect(path)
    model, clip, vae = host.load_checkpoint(path)
    base = Base(path, family.id, family.title, family.resolution_px, host.latent_format(model))
    return model, clip, vae, base
