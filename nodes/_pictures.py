"""Sheets in the colours of ComfyUI's own dark theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image


def crops_sheet(dataset: Any) -> Image:
    """Every kept photo with its crop."""
    from ..lora_train.report.paper import DARK
    from ..lora_train.report.sheets import crop_sheet

    return crop_sheet(dataset, theme=DARK)


def verdict_sheet(made: Sequence[Image], base: Sequence[Image] | None, found: Any) -> Image:
    """The verdict above the pictures with and without the LoRA."""
    from ..lora_train.report.paper import DARK
    from ..lora_train.report.sheets import diversity_sheet

    return diversity_sheet(made, base, found, theme=DARK)
