"""Keep one LoRA out of another's way: part of it is projected out of the directions the other listens to.

After NP-LoRA (arXiv 2511.11051), with the strength of the projection as a number, and through factors only:
``A <- A - amount * (A V) V'`` with V the leading right singular vectors of the protected LoRA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .factors import spectrum

if TYPE_CHECKING:
    import torch

ENERGY = 0.9
"""V holds as many directions as carry this share of the protected layer's energy."""


def protect(
    down: torch.Tensor, protected_up: torch.Tensor, protected_down: torch.Tensor, amount: float
) -> torch.Tensor:
    """``down`` (r, in) with ``amount`` (0 to 1) of its part in the protected directions taken out.

    The rank stays, and ``up`` needs no change: the layer's new change is ``up @ result``.
    """
    found = spectrum(protected_up, protected_down)
    share = found.values.double().square().cumsum(0)
    count = int((share < ENERGY * share[-1]).sum()) + 1
    directions = found.right(count)  # (k, in), orthonormal
    return down - amount * (down @ directions.T) @ directions
