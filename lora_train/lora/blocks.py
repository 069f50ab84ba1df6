"""Which blocks of the model a LoRA works in: all, those of the style, those of the content, or a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import BadInputError
from ..say import say

Preset = Literal["all", "style", "content", "custom"]
PRESETS: tuple[Preset, ...] = ("all", "style", "content", "custom")
KNOWN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "sdxl": {"style": frozenset({"output_blocks.1"}), "content": frozenset({"output_blocks.0"})},
}
"""Family -> preset -> blocks, where somebody has measured it. SDXL: B-LoRA (arXiv 2403.14572), whose fourth
and fifth blocks, ``up_blocks.0.attentions.0`` and ``.1``, carry content and style."""
MAX_FACTOR = 4.0


@dataclass(frozen=True)
class BlockFactors:
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
                say("lora.blocks_unknown", preset=self.preset, known=[*KNOWN], name=name, family=family)
            )


def parse_blocks(value: object) -> BlockFactors:
    """The choice from a row's JSON: a preset's name, or ``{block: factor}``.

    Raises:
        BadInputError: neither of both, or a factor that is no number.
    """
    if isinstance(value, str) and value in ("all", "style", "content"):
        return BlockFactors(value)  # type: ignore[arg-type]
    if not isinstance(value, Mapping):
        raise BadInputError(say("lora.blocks_kind", value=f"{value!r:.60}"))
    factors: dict[str, float] = {}
    for block, factor in value.items():
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not abs(factor) <= MAX_FACTOR:
            said = {"block": str(block)[:60], "factor": f"{factor!r:.40}", "most": MAX_FACTOR}
            raise BadInputError(say("lora.block_factor", **said))
        factors[str(block)] = float(factor)
    return BlockFactors("custom", factors)
