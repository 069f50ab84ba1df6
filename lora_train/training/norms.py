"""How much a LoRA changes its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lora.apply import layers_of
from .quantize import dense

if TYPE_CHECKING:
    from ..lora.keys import Factors
    from .loop import Run


def relative_change(run: Run) -> float:
    """|dW| / |W| over all trained layers together, Frobenius norms; 0 before the first step."""
    factors = run.adapter.factors()
    layers = layers_of(run.unet)
    changed = sum(squared_change(pair) for pair in factors.values())
    whole = sum(float(dense(layers[name].weight).float().square().sum()) for name in factors)
    return (changed / whole) ** 0.5 if whole else 0.0


def squared_change(pair: Factors) -> float:
    """|s B A|^2 = s^2 tr((B^T B)(A A^T)): r x r matrices instead of the layer's own size."""
    down, up = pair.down.float().flatten(1), pair.up.float().flatten(1)  # (r, in), (out, r)
    return float(((up.T @ up) * (down @ down.T)).sum()) * pair.scale**2
