"""Low-rank matrices ``M = up @ down`` handled through their factors: the full matrix is never formed.

``up`` is (out, r), ``down`` is (r, in), both fp32, every scale and strength already in ``up``. With the
reduced QR decompositions ``up = Q R`` and ``down' = P S``, the SVD of the small core ``R S'`` (r x r) is,
with Q and P around it, the SVD of M. Cost O((out + in) r^2 + r^3) against O(out in min(out, in)); for the
leading k directions Q is never formed, and P only where it meets them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

EXACT_RANK = 96
"""Norms that are only reported are exact up to this rank: their cost grows with its square."""
_PROBES = 64


@dataclass(frozen=True)
class Spectrum:
    """The singular values of ``M = up @ down``, and the way to its leading singular vectors.

    Only the vectors that are asked for are formed: the right ones by applying the Householder reflections of
    ``down'`` to them, the left ones as ``M @ right``.
    """

    up: torch.Tensor
    down: torch.Tensor
    values: torch.Tensor
    """(k,) singular values, largest first."""
    rotations: torch.Tensor
    """(k, k) right singular vectors of the core, one a row."""
    reflections: tuple[torch.Tensor, torch.Tensor]
    """Of the QR decomposition of ``down'``, as LAPACK's geqrf gives them."""

    def cut(self, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The best approximation of this rank, ``(up, down)``, the values shared evenly (Eckart-Young)."""
        import torch

        values, right = self.values[:rank], self.right(rank)
        heard = values > torch.finfo(values.dtype).eps * self.values[0]  # below, directions are rounding alone
        root = torch.where(heard, values, 0).sqrt()
        left = self.up @ (self.down @ right.T)  # (out, rank), each column as long as its value
        return left * torch.where(heard, 1 / root, 0), root[:, None] * right

    def right(self, count: int) -> torch.Tensor:
        """The leading right singular vectors: (count, in) with orthonormal rows."""
        import torch

        rotations = self.rotations[:count].T
        spread = torch.zeros(self.down.shape[1], rotations.shape[1], dtype=rotations.dtype)
        spread[: len(rotations)] = rotations
        return torch.ormqr(*self.reflections, spread).T

    def tail(self, rank: int) -> float:
        """Squared Frobenius norm of what :meth:`cut` leaves out."""
        return float(self.values[rank:].double().square().sum())

    def energy(self) -> float:
        """Squared Frobenius norm of the whole."""
        return float(self.values.double().square().sum())


def spectrum(up: torch.Tensor, down: torch.Tensor) -> Spectrum:
    """The SVD of ``up @ down``, from the factors."""
    import torch

    upper = torch.linalg.qr(up, mode="r")[1]  # (k, r)
    packed, lengths = torch.geqrf(down.T.contiguous())  # reflections below, the triangle above
    count = len(lengths)
    _, values, vh = torch.linalg.svd(upper @ packed[:count].triu().T, full_matrices=False)
    return Spectrum(up, down, values, vh, (packed[:, :count].contiguous(), lengths))


def singular_values(up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Singular values of ``up @ down``, largest first, without the vectors."""
    import torch

    upper, lower = (torch.linalg.qr(m, mode="r")[1] for m in (up, down.T))
    return torch.linalg.svdvals(upper @ lower.T)


def squared_norm(up: torch.Tensor, down: torch.Tensor) -> float:
    """``||up @ down||_F^2 = sum((up' up) * (down down'))``."""
    return inner(up, down, up, down)


def reported_squared_norm(*products: tuple[torch.Tensor, torch.Tensor]) -> float:
    """``||sum of up @ down||_F^2`` of products of one rank: exact up to :data:`EXACT_RANK`, else estimated."""
    if products[0][1].shape[0] > EXACT_RANK:
        return estimated_squared_norm(*products)
    return squared_norm(*join_rows(list(products)))


def estimated_squared_norm(*products: tuple[torch.Tensor, torch.Tensor]) -> float:
    """``||sum of up @ down||_F^2`` from :data:`_PROBES` random directions, always the same ones for a width.

    E ||M g||^2 = ||M||_F^2 for normal g (Hutchinson 1990); relative deviation at most sqrt(2 / probes), for a
    matrix of rank 1, and less by the square root of the effective rank. Linear in the rank, not square.
    """
    import torch

    directions = _directions(products[0][1].shape[1])
    seen = torch.stack([up @ (down @ directions) for up, down in products]).sum(0)
    return float(seen.double().square().sum()) / _PROBES


@lru_cache(maxsize=8)
def _directions(width: int) -> torch.Tensor:
    """(width, probes), standard normal. A model's layers have few widths."""
    import torch

    return torch.randn(width, _PROBES, generator=torch.Generator().manual_seed(0))


def inner(up: torch.Tensor, down: torch.Tensor, other_up: torch.Tensor, other_down: torch.Tensor) -> float:
    """``<up @ down, other_up @ other_down>_F``."""
    return float(((up.T @ other_up) * (down @ other_down.T)).double().sum())


def stored(up: torch.Tensor, down: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Both factors in the type of the file, and the squared norm of the rounding error this makes.

    Before rounding, a power of two is moved between the factors so that their sizes are alike: small
    numbers of fp16 have few digits. The error is that of ``e_up @ down + up_stored @ e_down``, estimated
    for ranks beyond :data:`EXACT_RANK`.
    """
    import torch

    up, down = balanced(up, down)
    small_up, small_down = up.to(dtype), down.to(dtype)
    if dtype == torch.float32:
        return small_up, small_down, 0.0
    e_up, e_down = up - small_up.float(), down - small_down.float()
    error = reported_squared_norm((e_up, down), (small_up.float(), e_down))
    return small_up, small_down, max(error, 0.0)


def balanced(up: torch.Tensor, down: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same product with a power of two moved so that both factors have about the same largest value."""
    big_up, big_down = float(up.abs().max()), float(down.abs().max())
    if not (0 < big_up < math.inf and 0 < big_down < math.inf):
        return up, down
    step = 2.0 ** round(math.log2(big_down / big_up) / 2)
    return up * step, down / step


def join_rows(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors of the sum of several products, exactly: ``[up1, up2, ...] @ [down1; down2; ...]``."""
    import torch

    if len(pairs) == 1:
        return pairs[0]
    return torch.cat([up for up, _ in pairs], dim=1), torch.cat([down for _, down in pairs])
