"""At which strength a LoRA is best used, measured with its own samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..evaluation.limits import DEFAULT_LIMITS
from .judgement import better, faults_of, surely_below

if TYPE_CHECKING:
    import torch

    from .adapter import FlatAdapter
    from .loop import Run
    from .watch import Watch

LOWER = (0.8, 0.6)


def recommended_strength(run: Run, watch: Watch) -> float | None:
    """1 for a LoRA whose samples have no fault; else the best of 1, .8 and .6, each sampled. None: not measured.

    The run's adapter holds the factors to be saved, and holds them again afterwards.
    """
    best = watch.best
    if best is None or run.adapter.kind == "dora":  # a DoRA's strength works on its lengths too, in the file's reader
        return None
    limits = watch.judgement.limits
    varied = best.variety is None or not surely_below(best.variety, DEFAULT_LIMITS.watch_ratio)
    if varied and not faults_of(best, limits):
        return 1.0
    full, strength = run.adapter.snapshot(), 1.0
    for lower in LOWER:
        run.adapter.restore(weakened(run.adapter, full, lower))
        reading = watch.read_now(run)
        if reading is None:
            break
        top = max(r.likeness.value for r in (best, reading) if r.likeness is not None)
        if better(reading, best, top, limits):
            best, strength = reading, lower
    run.adapter.restore(full)
    return strength


def weakened(adapter: FlatAdapter, values: torch.Tensor, strength: float) -> torch.Tensor:
    """``values`` with every layer's change multiplied with ``strength``; DoRA's lengths that far from the base's."""
    scaled, neutral = values.clone(), adapter.neutral()
    for slot in adapter.slots:
        if slot.role == "up":
            slot.of(scaled).mul_(strength)
        elif slot.role == "magnitude":
            slot.of(scaled).lerp_(slot.of(neutral), 1 - strength)
    return scaled
