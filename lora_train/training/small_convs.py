"""Frozen 3 x 3 convolutions on small pictures with wide weights, on the CPU: one matrix product.

A convolution library brings the weights into an order of its own on every call. Where a picture is 8 x 8 and
the weights are 30 MB, that costs more than the convolution. ``unfold`` lays the picture out as columns instead
(Chellapilla et al. 2006), and the weights stay as they are. The sums are the same, in another order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MAX_PIXELS = 64
"""Of a batch; above this the convolution library is faster."""
MIN_WEIGHTS = 7_000_000


def quicken_convs(model: Any, min_weights: int = MIN_WEIGHTS) -> int:
    """Let the frozen convolutions of ``model`` that are wide enough take the short way; returns how many."""
    found = [module for module in model.modules() if _suits(module, min_weights)]
    for module in found:
        module.forward = _forward(module)
    return len(found)


def _suits(module: Any, min_weights: int) -> bool:
    import torch

    if type(module) is not torch.nn.Conv2d or module.weight.requires_grad or module.weight.device.type != "cpu":
        return False
    plain = (module.kernel_size, module.stride, module.padding, module.dilation) == ((3, 3), (1, 1), (1, 1), (1, 1))
    return plain and module.groups == 1 and module.padding_mode == "zeros" and module.weight.numel() >= min_weights


def _forward(module: Any) -> Any:
    usual = module.forward

    def forward(x: torch.Tensor) -> torch.Tensor:
        n, _, height, width = x.shape
        if n * height * width > MAX_PIXELS or not x.dtype.is_floating_point:
            return usual(x)
        weight = module.weight
        product = _function().apply(x.to(weight.dtype), weight.view(len(weight), -1))
        return product if module.bias is None else product + module.bias.view(1, -1, 1, 1)

    return forward


@lru_cache(maxsize=1)
def _function() -> Any:
    """The autograd function; made on first use, since torch is heavy."""
    import torch
    from torch.nn import functional

    class Convolve(torch.autograd.Function):
        """(n, c, h, w) and (out, 9 c) -> (n, out, h, w); the weights get no gradient."""

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            n, _, height, width = x.shape
            ctx.save_for_backward(weight)
            with torch.autocast("cpu", enabled=False):
                columns = functional.unfold(x, 3, padding=1)  # (n, 9 c, h w)
                flat = weight @ _side_by_side(columns)  # (out, n h w)
            return _apart(flat, n).reshape(n, -1, height, width)

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            (weight,) = ctx.saved_tensors
            n, _, height, width = grads[0].shape
            flat = _side_by_side(grads[0].to(weight.dtype).flatten(2))  # (out, n h w)
            with torch.autocast("cpu", enabled=False):
                columns = _apart(_back(weight, flat), n)
                return functional.fold(columns, (height, width), 3, padding=1), None

    return Convolve


def _back(weight: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
    """``weight.T @ flat``, (9 c, n h w); half precision is slow with a transposed left side."""
    import torch

    return weight.t() @ flat if weight.dtype == torch.float32 else (flat.t() @ weight).t()


def _side_by_side(parts: torch.Tensor) -> torch.Tensor:
    """(n, rows, columns) -> (rows, n columns): one product for the batch, not n."""
    return parts.transpose(0, 1).reshape(parts.shape[1], -1)


def _apart(flat: torch.Tensor, n: int) -> torch.Tensor:
    """The inverse of :func:`_side_by_side`."""
    return flat.reshape(len(flat), n, -1).transpose(0, 1).contiguous()
