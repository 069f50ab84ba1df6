"""A frozen base in 8 bits: its linear layers hold integers with one scale a row (torchao, int8 weight only).

Half the memory of bf16, so a 12-billion base takes 12 GB. Activations and the LoRA keep their precision; the error
of a layer's output is about half a percent. Only what is frozen may be rounded, so the text encoder stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..say import say

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from ..families.base import Base, Family, Part

MIN_WEIGHTS = 65_536
"""Smaller layers stay as they are: they save nothing, and the embeddings of time and size are among them."""


def load_quantized(family: Family, path: Path, device: str, dtype: Any, parts: Sequence[Part]) -> Base:
    """The base on ``device``, its denoiser rounded layer by layer on the way there: it never is there as a whole.

    Raises:
        BadInputError: torchao is not installed.
    """
    others: tuple[Part, ...] = tuple(part for part in parts if part != "unet")
    base = family.load(path, "cpu", dtype, ("unet",))
    quantize(base.unet, device)
    return replace(family.load(path, device, dtype, others), unet=base.unet) if others else base


def quantize(model: Any, device: str, min_weights: int = MIN_WEIGHTS) -> int:
    """Round the wide linear layers of ``model`` and move it to ``device``; returns how many layers were rounded.

    Raises:
        BadInputError: torchao is not installed.
    """
    import torch

    try:
        from torchao.quantization import Int8WeightOnlyConfig, quantize_  # type: ignore[import-not-found]
    except ImportError as error:
        raise BadInputError(say("training.needs_torchao")) from error
    chosen = 0

    def wide(module: Any, _: str) -> bool:
        nonlocal chosen
        suits = type(module) is torch.nn.Linear and module.weight.numel() >= min_weights
        chosen += suits
        return suits

    quantize_(model, Int8WeightOnlyConfig(), wide, device=torch.device(device))
    model.to(device)
    return chosen


def dense(weight: torch.Tensor) -> torch.Tensor:
    """The numbers of a weight, rounded or not, as a plain tensor."""
    return weight.dequantize() if hasattr(weight, "qdata") else weight.detach()
