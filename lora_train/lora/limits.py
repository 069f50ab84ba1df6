"""Where a number about a stack becomes a sentence: limits as data, each with where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class ConflictLimits:
    """What the numbers of :mod:`.balance` are held against; values and sources are in ``limits.json``."""

    same_cosine: float
    """From here on two files are versions of one LoRA."""
    high_cosine: float
    """From here on two LoRAs add up, and below its negative they cancel."""
    high_overlap: float
    high_times_chance: float
    """Both must be reached: eight times a tiny chance is still little."""
    strong: float
    """Above this strength a LoRA may drown the others."""
    loud_times: float
    """Loudness at strength 1 against the median of the others."""
    drowned_times: float
    """Loudness of all others together against one LoRA's own, at the strengths of the stack."""
    budget: float
    """Energy of the stack, as a multiple of that of its strongest LoRA."""


@cache
def conflict_limits() -> ConflictLimits:
    """The limits that ship."""
    said = json.loads(Path(__file__).with_name("limits.json").read_text("utf-8"))
    return ConflictLimits(**{field.name: float(said[field.name]["value"]) for field in fields(ConflictLimits)})
