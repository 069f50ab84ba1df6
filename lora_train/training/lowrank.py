"""The plain LoRA ``y += s B A x`` as one autograd function, in place of peft's five operations.

peft casts the input to fp32 and back, multiplies the wide output by ``s`` and adds it as a new tensor, and runs the
narrow 1 x 1 convolutions of a LoRA on a convolution library. Here the scale goes into the product that is added in
place, and nothing but ``x`` and the narrow ``A x`` is kept for the way back. Parameters stay where they are.

With g the gradient of y:  dA = (s B^T g) x^T,  dB = s g (A x)^T,  dx = A^T (s B^T g).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def quicken_lora(model: Any, name: str = "default") -> int:
    """Let the plain LoRA layers of ``model`` take the short way; returns how many.

    Layers with dropout, DoRA, biases or larger kernels stay as they are, and so does every layer while its
    adapters are switched off or merged.
    """
    found = [layer for layer in model.modules() if _suits(layer, name)]
    for layer in found:
        layer.forward = _forward(layer, name)
    return len(found)


def _suits(layer: Any, name: str) -> bool:
    import torch

    if not hasattr(layer, "lora_A") or name not in layer.lora_A or layer.lora_variant.get(name) is not None:
        return False
    down, up = layer.lora_A[name], layer.lora_B[name]
    dropped = not isinstance(layer.lora_dropout[name], torch.nn.Identity)
    if dropped or down.bias is not None or up.bias is not None:
        return False
    return type(down) is torch.nn.Linear or _is_pointwise(down)


def _is_pointwise(down: Any) -> bool:
    import torch

    if type(down) is not torch.nn.Conv2d:
        return False
    return (down.kernel_size, down.stride, down.padding, down.groups) == ((1, 1), (1, 1), (0, 0), 1)


def _forward(layer: Any, name: str) -> Any:
    usual = layer.forward

    def forward(x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        if args or options or layer.disable_adapters or layer.merged or list(layer.active_adapters) != [name]:
            return usual(x, *args, **options)
        down, up, scale = layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]
        return add_low_rank(layer.base_layer(x), x, down, up, scale)

    return forward


def add_low_rank(
    result: torch.Tensor, x: torch.Tensor, down: torch.Tensor, up: torch.Tensor, scale: float
) -> torch.Tensor:
    """``result + scale * up(down(x))``, written into ``result``.

    Args:
        result: (..., out), or (n, out, h, w) for 1 x 1 convolutions.
        x: (..., in) or (n, in, h, w).
        down: (r, in) or (r, in, 1, 1); gets its gradient in its own dtype, like ``up``.
        up: (out, r) or (out, r, 1, 1).
    """
    function = _linear() if down.dim() == 2 else _pointwise()
    return function.apply(result, x, down, up, scale)


@lru_cache(maxsize=1)
def _linear() -> Any:
    import torch

    class AddLinear(torch.autograd.Function):
        """Tokens in rows."""

        @staticmethod
        def forward(ctx: Any, result: Any, x: Any, down: Any, up: Any, scale: float) -> torch.Tensor:
            dtype = result.dtype
            with torch.autocast(x.device.type, enabled=False):
                a, b = down.to(dtype), up.to(dtype)
                rows = x.reshape(-1, x.shape[-1]).to(dtype)  # (tokens, in)
                inner = rows @ a.t()  # (tokens, r)
                flat = result.view(-1, result.shape[-1])
                flat.addmm_(inner, b.t(), alpha=scale)
            ctx.save_for_backward(rows, inner, down, up)
            ctx.scale, ctx.shape, ctx.x_dtype = scale, x.shape, x.dtype
            ctx.mark_dirty(result)
            return result

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            rows, inner, down, up = ctx.saved_tensors
            g = grads[0].reshape(-1, grads[0].shape[-1])  # (tokens, out)
            with torch.autocast(g.device.type, enabled=False):
                narrow = (g @ up.to(g.dtype)).mul_(ctx.scale)  # (tokens, r)
                d_x = None
                if ctx.needs_input_grad[1]:
                    d_x = (narrow @ down.to(g.dtype)).view(ctx.shape).to(ctx.x_dtype)
                d_down = (narrow.t() @ rows).to(down.dtype)
                d_up = (g.t() @ inner).to(up.dtype).mul_(ctx.scale)
            return grads[0], d_x, d_down, d_up, None

    return AddLinear


@lru_cache(maxsize=1)
def _pointwise() -> Any:
    import torch

    class AddPointwise(torch.autograd.Function):
        """Pixels in columns."""

        @staticmethod
        def forward(ctx: Any, result: Any, x: Any, down: Any, up: Any, scale: float) -> torch.Tensor:
            dtype, n = result.dtype, len(result)
            with torch.autocast(x.device.type, enabled=False):
                a, b = down.flatten(1).to(dtype), up.flatten(1).to(dtype)
                columns = x.flatten(2).to(dtype)  # (n, in, h w)
                inner = torch.matmul(a, columns)  # (n, r, h w)
                flat = result.view(n, result.shape[1], -1)
                flat.baddbmm_(b.expand(n, -1, -1), inner, alpha=scale)
            ctx.save_for_backward(columns, inner, down, up)
            ctx.scale, ctx.shape, ctx.x_dtype = scale, x.shape, x.dtype
            ctx.mark_dirty(result)
            return result

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            columns, inner, down, up = ctx.saved_tensors
            g = grads[0].flatten(2)  # (n, out, h w)
            with torch.autocast(g.device.type, enabled=False):
                a, b = down.flatten(1).to(g.dtype), up.flatten(1).to(g.dtype)
                narrow = torch.matmul(b.t(), g).mul_(ctx.scale)  # (n, r, h w)
                d_x = None
                if ctx.needs_input_grad[1]:
                    d_x = torch.matmul(a.t(), narrow).view(ctx.shape).to(ctx.x_dtype)
                d_down = torch.bmm(narrow, columns.transpose(1, 2)).sum(0).to(down.dtype).view(down.shape)
                d_up = torch.bmm(g, inner.transpose(1, 2)).sum(0).to(up.dtype).mul_(ctx.scale).view(up.shape)
            return grads[0], d_x, d_down, d_up, None

    return AddPointwise
