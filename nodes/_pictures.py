"""Sheets in the colours of ComfyUI's own dark theme."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
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


def data_url(picture: Image) -> str:
    """A small picture as text, for a message to the graph editor."""
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode()
