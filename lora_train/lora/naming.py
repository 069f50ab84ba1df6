"""The layers of a saved LoRA under a family's own names.

A layer of the file may cover several modules of the model, one under the other: the fused q, k and v of
some transformers. Their factors are stacked, which is exact and adds their ranks up:
``down = [d_q; d_k; d_v]``, ``up = blockdiag(u_q, u_k, u_v)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .keys import Factors, to_kohya

if TYPE_CHECKING:
    import torch

    from ..families.traits import Traits


def to_tensors(factors: Mapping[str, Factors], traits: Traits, dtype: Any = None) -> dict[str, torch.Tensor]:
    """Tensors of a LoRA file from ``{module: factors}``, on the CPU, fp16 unless told otherwise.

    Names other than kohya's have no ``.alpha``, which diffusers would refuse: the scale goes into ``up``.
    """
    import torch

    if traits.lora_layers is None:
        return to_kohya(factors, dtype=dtype)
    dtype = dtype or torch.float16
    tensors: dict[str, torch.Tensor] = {}
    for layer, modules in sorted(traits.lora_layers(factors).items()):
        pair = stacked([factors[module] for module in modules])
        tensors[f"{layer}.lora_A.weight"] = pair.down.detach().to("cpu", dtype).contiguous()
        tensors[f"{layer}.lora_B.weight"] = (pair.up * pair.scale).detach().to("cpu", dtype).contiguous()
    return tensors


def by_module(layers: Mapping[str, Factors], modules: Mapping[str, int], traits: Traits) -> dict[str, Factors]:
    """``{module: factors}`` from the layers of a file; layers of no module keep their names.

    ``modules`` gives the output width of each module that the file may cover.
    """
    known = {} if traits.lora_layers is None else traits.lora_layers(modules)
    found: dict[str, Factors] = {}
    for layer, pair in layers.items():
        start = 0
        for module in known.get(layer, (layer,)):
            rows = modules.get(module, pair.up.shape[0])
            found[module] = Factors(pair.down, pair.up[start : start + rows], pair.alpha)
            start += rows
    return found


def stacked(parts: Sequence[Factors]) -> Factors:
    """One pair of factors whose change is that of ``parts``, one under the other."""
    import torch

    if len(parts) == 1:
        return parts[0]
    down = torch.cat([part.down for part in parts])
    up = torch.block_diag(*(part.up * part.scale for part in parts))
    return Factors(down, up, float(down.shape[0]))
