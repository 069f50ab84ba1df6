"""Rows of the community's ``LORA_STACK`` that also say which blocks they are for."""

from __future__ import annotations

from typing import Any

from ..lora_train.lora.blocks import BlockFactors
from ..lora_train.lora.places import block_of, place_of
from ._types import StackRow


class BlockRow(tuple[str, float, float]):
    """A row of the community's ``LORA_STACK`` that also says which blocks it is for.

    To every other pack it is the usual ``(name, model strength, clip strength)``.
    """

    blocks: BlockFactors

    def __new__(cls, name: str, model: float, clip: float, blocks: BlockFactors) -> BlockRow:
        row = super().__new__(cls, (name, model, clip))  # type: ignore[arg-type]
        row.blocks = blocks
        return row


def stack_row(name: str, model: float, clip: float, blocks: BlockFactors) -> StackRow:
    """A plain tuple where nothing more is to be said."""
    return (name, model, clip) if blocks.is_all else BlockRow(name, model, clip, blocks)


def blocks_of_row(row: Any) -> BlockFactors:
    """All blocks, unless one of our own rows says otherwise."""
    return getattr(row, "blocks", BlockFactors())


def block_of_weight(key: str) -> str:
    """``input_blocks.4``, ``te1.7`` ... of a weight as ComfyUI names it."""
    name = key.removesuffix(".weight").removesuffix(".bias")
    if name.startswith(("clip_l.", "clip_g.", "t5xxl.")):
        name = f"text_encoders.{name}"
    return block_of(place_of(name))
