"""Which blocks of the model a LoRA works in: all, those of the style, those of the content, or a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..lora_train.errors import BadInputError
from ..lora_train.lora.places import block_of, place_of
from ._types import StackRow

Preset = Literal["all", "style", "content", "custom"]
PRESETS: tuple[Preset, ...] = ("all", "style", "content", "custom")
KNOWN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "sdxl": {"style": frozenset({"output_blocks.1"}), "content": frozenset({"output_blocks.0"})},
}
"""Family -> preset -> blocks, where somebody has measured it. SDXL: B-LoRA (arXiv 2403.14572), whose fourth
and fifth blocks, ``up_blocks.0.attentions.0`` and ``.1``, carry content and style."""
MAX_FACTOR = 4.0


@dataclass(frozen=True)
class Blocks:
    """A factor per block on top of the row's strength.

    The presets concern the diffusion model alone; text encoders follow the row's text strength.
    """

    preset: Preset = "all"
    factors: Mapping[str, float] = field(default_factory=dict)
    """Of preset ``custom``: block -> factor; blocks that are not named work at 1."""

    @property
    def is_all(self) -> bool:
        return self.preset == "all" or (self.preset == "custom" and all(f == 1 for f in self.factors.values()))

    @property
    def key(self) -> str:
        """The same text for the same choice."""
        if self.is_all:
            return "all"
        return self.preset + ",".join(f" {name}={value:g}" for name, value in sorted(self.factors.items()))

    def factor(self, block: str, family: str) -> float:
        """What a block's strength is multiplied with."""
        if self.preset == "custom":
            return self.factors.get(block, 1.0)
        if self.preset == "all" or block.startswith("te"):
            return 1.0
        return float(block in KNOWN[family][self.preset])

    def require(self, name: str, family: str) -> None:
        """Refuse a preset that is not known for this family.

        Raises:
            BadInputError: names the families for which it is.
        """
        if self.preset in ("style", "content") and family not in KNOWN:
            raise BadInputError(
                f"Which blocks hold the {self.preset} is known for {', '.join(KNOWN)} only, and '{name}' is for "
                f"{family}. Choose 'all blocks', or set the blocks yourself."
            )


class BlockRow(tuple[str, float, float]):
    """A row of the community's ``LORA_STACK`` that also says which blocks it is for.

    To every other pack it is the usual ``(name, model strength, clip strength)``.
    """

    blocks: Blocks

    def __new__(cls, name: str, model: float, clip: float, blocks: Blocks) -> BlockRow:
        row = super().__new__(cls, (name, model, clip))  # type: ignore[arg-type]
        row.blocks = blocks
        return row


def stack_row(name: str, model: float, clip: float, blocks: Blocks) -> StackRow:
    """A plain tuple where nothing more is to be said."""
    return (name, model, clip) if blocks.is_all else BlockRow(name, model, clip, blocks)


def blocks_of_row(row: Any) -> Blocks:
    """All blocks, unless one of our own rows says otherwise."""
    return getattr(row, "blocks", Blocks())


def block_of_weight(key: str) -> str:
    """``input_blocks.4``, ``te1.7`` ... of a weight as ComfyUI names it."""
    name = key.removesuffix(".weight").removesuffix(".bias")
    if name.startswith(("clip_l.", "clip_g.", "t5xxl.")):
        name = f"text_encoders.{name}"
    return block_of(place_of(name))


def parse_blocks(value: object) -> Blocks:
    """The choice from a row's JSON: a preset's name, or ``{block: factor}``.

    Raises:
        BadInputError: neither of both, or a factor that is no number.
    """
    if isinstance(value, str) and value in ("all", "style", "content"):
        return Blocks(value)  # type: ignore[arg-type]
    if not isinstance(value, Mapping):
        raise BadInputError(f"The blocks are {value!r:.60}; use 'all', 'style', 'content' or block names with factors.")
    factors: dict[str, float] = {}
    for block, factor in value.items():
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not abs(factor) <= MAX_FACTOR:
            limits = f"-{MAX_FACTOR:g} to {MAX_FACTOR:g}"
            raise BadInputError(f"The factor of block '{str(block)[:60]}' is {factor!r:.40}; use {limits}.")
        factors[str(block)] = float(factor)
    return Blocks("custom", factors)
