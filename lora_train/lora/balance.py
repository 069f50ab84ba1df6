"""How the LoRAs of a stack get along, in numbers and in honest sentences, and strengths that fit.

``check`` reads the files (or remembers them by content); ``Conflicts.at`` answers for other strengths in
well under 5 ms, because strengths only multiply what is known. Formulas: :mod:`.gram`, :mod:`.measure`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..observer import Observer
from ..say import say
from .blocks import BlockFactors
from .gram import Grams
from .measure import Blocks, Row, read_rows, sum_blocks
from .suggest import KAPPA, Cap, cap_energy, fitted, match_loudness

MAX_STRENGTH = 20.0


@dataclass(frozen=True)
class BlockPair:
    """Two LoRAs in one block. ``share``: of the pair's energy that lies here."""

    block: str
    kind: str
    cosine: float
    share: float


@dataclass(frozen=True)
class PairFound:
    """How two LoRAs meet, over all layers that both have, loud layers counting more."""

    a: str
    b: str
    cosine: float
    """-1 (they undo each other) .. 1 (the same change), with the signs of the strengths in use."""
    overlap: float
    """0..1: how far they use the same directions, whatever the sign (geometric mean of both sides)."""
    overlap_inputs: float
    overlap_outputs: float
    times_chance: float
    """``overlap`` as a multiple of what unrelated LoRAs of these sizes have."""
    clash: BlockPair | None
    """The block of weight (over 2 % of the energy) where the cosine is farthest from zero."""
    blocks: tuple[BlockPair, ...]


@dataclass(frozen=True)
class Conflicts:
    """What ``check`` found, at these strengths."""

    rows: tuple[Row, ...]
    blocks: Blocks
    strengths: tuple[float, ...]
    text_strengths: tuple[float, ...]
    locked: tuple[int, ...] = ()
    kappa: float = KAPPA
    choices: tuple[BlockFactors, ...] = ()
    """A factor per block for each row; none: all blocks."""

    def at(
        self,
        strengths: Sequence[float],
        text_strengths: Sequence[float] | None = None,
        locked: Collection[int] | None = None,
        choices: Sequence[BlockFactors] | None = None,
    ) -> Conflicts:
        """The same stack at other strengths; no file is read."""
        model = _strengths(strengths, len(self.rows))
        text = model if text_strengths is None else _strengths(text_strengths, len(self.rows))
        kept = self.locked if locked is None else tuple(sorted(locked))
        chosen = self.choices if choices is None else _choices(choices, self.rows)
        return Conflicts(self.rows, self.blocks, model, text, kept, self.kappa, chosen)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows)

    @cached_property
    def _factors(self) -> np.ndarray:
        """(blocks, n) the strength that applies in each block."""
        whole = np.where(self.blocks.text[:, None], self.text_strengths, self.strengths)
        if all(choice.is_all for choice in self.choices):
            return whole
        return whole * [
            [choice.factor(block, row.family) for choice, row in zip(self.choices, self.rows, strict=True)]
            for block, _ in self.blocks.labels
        ]

    @cached_property
    def _used(self) -> np.ndarray:
        """(blocks, n, n) inner products at the strengths in use."""
        return self.blocks.gram * self._factors[:, :, None] * self._factors[:, None, :]

    @cached_property
    def gram(self) -> np.ndarray:
        """(n, n) inner products at the strengths in use, over all blocks."""
        return self._used.sum(0)

    @cached_property
    def loudness(self) -> dict[str, float]:
        """Norm of each LoRA's change at strength 1; relative to the base (rms over layers) where it is known."""
        return dict(zip(self.names, self._loudness.tolist(), strict=True))

    @cached_property
    def _loudness(self) -> np.ndarray:
        total = np.clip(self.blocks.gram.sum(0).diagonal(), 0, None)
        layers = np.maximum(self.blocks.counts.sum(0), 1) if self.blocks.relative else 1.0
        return np.sqrt(total / layers)

    @cached_property
    def energy_ratio(self) -> float:
        """``||sum D||^2 / sum ||D||^2``: 1 = strangers, n = all the same, below 1 = they cancel."""
        own = float(self.gram.trace())
        return float(self.gram.sum()) / own if own > 0 else 1.0

    @cached_property
    def cap(self) -> Cap:
        return cap_energy(self.gram, self.locked, self.kappa)

    @cached_property
    def suggested(self) -> dict[str, float]:
        """The strengths in use, scaled into the energy budget; locked rows as they are."""
        pairs = zip(self.strengths, self.cap.factors.tolist(), strict=True)
        return {name: fitted(*pair) for name, pair in zip(self.names, pairs, strict=True)}

    @cached_property
    def equal_loudness(self) -> dict[str, float]:
        """Strengths at which all LoRAs are equally loud; locked rows as they are."""
        signs = np.where(np.array(self.strengths) < 0, -1.0, 1.0)
        values = match_loudness(self._loudness, signs)
        for row in self.locked:
            values[row] = self.strengths[row]
        return {name: round(float(value), 2) for name, value in zip(self.names, values, strict=True)}

    @cached_property
    def pairs(self) -> tuple[PairFound, ...]:
        n = len(self.rows)
        return tuple(self._pair(i, j) for i in range(n) for j in range(i + 1, n))

    def _pair(self, i: int, j: int) -> PairFound:
        used, sign = self._used, self._factors
        factor = np.abs(sign[:, i] * sign[:, j])
        factor = factor if factor.any() else np.ones_like(factor)  # switched off: as if at strength 1
        weight = self.blocks.weight[:, i, j] * factor
        total = max(float(weight.sum()), 1e-300)
        inner = self.blocks.gram[:, i, j] * np.where(sign[:, i] * sign[:, j] < 0, -1, 1) * factor
        own = self.blocks.gram if not used.any() else used
        norm = math.sqrt(max(float(own[:, i, i].sum() * own[:, j, j].sum()), 0.0))
        if norm == 0:
            norm = math.sqrt(max(float(self.blocks.gram[:, i, i].sum() * self.blocks.gram[:, j, j].sum()), 0.0))
        overlap = [float((side[:, i, j] * factor).sum()) / total for side in self.blocks.overlap]
        chance = float((self.blocks.chance[:, i, j] * factor).sum()) / total
        blocks = tuple(
            BlockPair(block, kind, _ratio(inner[g], weight[g]), float(weight[g]) / total)
            for g, (block, kind) in enumerate(self.blocks.labels)
            if weight[g] > 0
        )
        loud = [found for found in blocks if found.share > 0.02]
        return PairFound(
            a=self.names[i],
            b=self.names[j],
            cosine=_ratio(float(inner.sum()), norm),
            overlap=overlap[0],
            overlap_inputs=overlap[1],
            overlap_outputs=overlap[2],
            times_chance=_ratio(overlap[0], chance, limit=math.inf),
            clash=max(loud, key=lambda found: abs(found.cosine), default=None),
            blocks=blocks,
        )

    @cached_property
    def findings(self) -> tuple[Any, ...]:
        from .verdict import findings

        return findings(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a person should know, the most important first."""
        return tuple(found.text for found in self.findings)

    @property
    def verdict(self) -> str:
        """In a word or two: fits, overlapping, too loud, same file twice, cannot work."""
        return self.findings[0].verdict if self.findings else "fits"

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "sentences": list(self.sentences),
            "findings": [{"code": f.code, "rows": list(f.rows), "text": f.text} for f in self.findings],
            "rows": [self._row_json(i) for i in range(len(self.rows))],
            "pairs": [_pair_json(pair) for pair in self.pairs],
            "loudness": self.loudness,
            "relative_to_base": self.blocks.relative,
            "energy": {"total": self.cap.energy, "budget": self.cap.budget, "ratio": self.energy_ratio},
            "blocks": self._block_energy(),
            "suggested": self.suggested,
            "equal_loudness": self.equal_loudness,
        }

    def _row_json(self, i: int) -> dict[str, Any]:
        row, own = self.rows[i], max(float(self.gram[i, i]), 0.0)
        return {
            "name": row.name, "family": row.family, "layers": row.layers, "matched": row.matched,
            "kinds": dict(row.kinds), "strength": self.strengths[i], "text_strength": self.text_strengths[i],
            "locked": i in self.locked, "loudness": float(self._loudness[i]), "loudness_in_use": math.sqrt(own),
        }  # fmt: skip

    def _block_energy(self) -> list[dict[str, Any]]:
        """Energy ratio and share of each block: three mild LoRAs adding up show here."""
        total = self._used.sum((1, 2))
        own = np.trace(self._used, axis1=1, axis2=2)
        whole = max(float(own.sum()), 1e-300)
        return [
            {"block": block, "kind": kind, "ratio": _ratio(total[g], own[g], math.inf), "share": float(own[g]) / whole}
            for g, (block, kind) in enumerate(self.blocks.labels)
        ]


def check(
    files: Sequence[Path],
    strengths: Sequence[float],
    base: Path | None = None,
    *,
    text_strengths: Sequence[float] | None = None,
    locked: Collection[int] = (),
    choices: Sequence[BlockFactors] | None = None,
    grams: Grams | None = None,
    cache: Path | None = None,
    observer: Observer | None = None,
) -> Conflicts:
    """How the LoRAs in ``files`` get along at these strengths.

    Args:
        base: the checkpoint they are used on; tells which layers fit, and how large changes are.
        text_strengths: for the text encoders; the same as ``strengths`` when left out.
        locked: numbers of rows whose strength is not to be touched by a suggestion.
        choices: a factor per block for each row; all blocks when left out.
        grams: what was computed before; a new one reads its cache on disk.

    Raises:
        BadInputError: a file is missing or no LoRA, sizes differ, or a strength is no number.
    """
    _check_counts(files, strengths, text_strengths, locked)
    grams = grams or Grams(cache)
    table = grams.of(files, observer)
    rows = read_rows(files, table.ids, base)
    model = _strengths(strengths, len(rows))
    text = model if text_strengths is None else _strengths(text_strengths, len(rows))
    chosen = () if choices is None else _choices(choices, rows)
    return Conflicts(rows, sum_blocks(table, base, cache), model, text, tuple(sorted(locked)), choices=chosen)


def _check_counts(
    files: Sequence[Path], strengths: Sequence[float], text: Sequence[float] | None, locked: Collection[int]
) -> None:
    problems = []
    if not files:
        problems.append(say("lora.none_to_check"))
    if len(strengths) != len(files) or (text is not None and len(text) != len(files)):
        problems.append(say("lora.strengths_number", n=len(files), strengths=len(strengths)))
    if any(not 0 <= row < len(files) for row in locked):
        problems.append(say("lora.locked_range", n=len(files), rows=sorted(locked)))
    BadInputError.collect(problems)


def _choices(choices: Sequence[BlockFactors], rows: Sequence[Row]) -> tuple[BlockFactors, ...]:
    """One choice of blocks for each row, each of them known for the row's family."""
    if len(choices) != len(rows):
        raise BadInputError(say("lora.choices_number", n=len(rows), choices=len(choices)))
    for choice, row in zip(choices, rows, strict=True):
        choice.require(row.name, row.family)
    return tuple(choices)


def _strengths(values: Sequence[float], count: int) -> tuple[float, ...]:
    bad = [v for v in values if not math.isfinite(v) or abs(v) > MAX_STRENGTH]
    if bad or len(values) != count:
        raise BadInputError(say("lora.strengths_range", strengths=list(values), count=count, most=MAX_STRENGTH))
    return tuple(float(v) for v in values)


def _ratio(part: float, whole: float, limit: float = 1.0) -> float:
    return float(np.clip(part / whole, -limit, limit)) if whole > 0 else 0.0


def _pair_json(pair: PairFound) -> dict[str, Any]:
    return {
        "a": pair.a, "b": pair.b, "cosine": pair.cosine, "overlap": pair.overlap,
        "overlap_inputs": pair.overlap_inputs, "overlap_outputs": pair.overlap_outputs,
        "times_chance": pair.times_chance, "clash": vars(pair.clash) if pair.clash else None,
        "blocks": [vars(block) for block in pair.blocks],
    }  # fmt: skip
