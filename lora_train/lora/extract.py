"""A LoRA from the difference of two checkpoints, by randomised SVD, with what it misses reported.

Halko, Martinsson, Tropp, "Finding structure with randomness" (2011), through ``torch.svd_lowrank``: some more
directions than asked for, two power iterations, then the best ``rank`` of them. Nothing is clamped.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, UnsupportedModelError
from ..families.header import Header, read_header
from ..observer import NullObserver, Observer
from ..say import say
from .base_weights import BaseWeight, base_family, base_weights
from .derive import Layer, Parent, derived_metadata, shaped, to_tensors
from .factors import stored
from .file import save_lora
from .places import Form, to_parts
from .reader import not_finite
from .resize import LayerLoss, same_file_problems

if TYPE_CHECKING:
    import torch

_EXTRA_DIRECTIONS = 8
_VERSIONS = {"sd15": "sd_1.5", "sd2": "sd_v2", "sdxl": "sdxl_base_v1-0", "flux": "flux1"}
_SAME = 1e-6
"""A weight that changed by less than this share of its size is taken as unchanged."""


@dataclass(frozen=True)
class Extracted:
    """``relative_error``: the part of the difference that the LoRA misses, over all layers that differ."""

    path: Path
    rank: int
    layers: tuple[LayerLoss, ...]
    unchanged: int
    """Layers that are the same in both checkpoints."""
    left_out: int
    """Weights that only one checkpoint has, or has in another size."""
    relative_error: float
    energy_kept: float
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


def extract(
    base: Path,
    tuned: Path,
    out: Path,
    *,
    rank: int = 32,
    text_encoder: bool = True,
    form: Form = "kohya",
    dtype: Any = None,
    seed: int = 0,
    observer: Observer | None = None,
) -> Extracted:
    """Write a LoRA that turns ``base`` into ``tuned``, as well as this rank can.

    Raises:
        BadInputError: the checkpoints do not differ, NaN in one of them, or the rank makes no sense.
        UnsupportedModelError: no checkpoints, or of different shapes.
    """
    import torch
    from safetensors import safe_open

    observer = observer or NullObserver()
    problems = [] if rank >= 1 else [say("lora.rank_least", rank=rank)]
    BadInputError.collect([*problems, *same_file_problems(out, [base, tuned])])
    headers = read_header(base), read_header(tuned)
    weights, left_out = _common(*headers, text_encoder=text_encoder)
    layers: dict[str, Layer] = {}
    losses: list[LayerLoss] = []
    unchanged, whole, lost = 0, 0.0, 0.0
    observer.stage("extract")
    with ExitStack() as stack, torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        old, new = (stack.enter_context(safe_open(str(p), framework="pt")) for p in (base, tuned))
        for done, (place, (a, b)) in enumerate(weights.items()):
            observer.check_cancelled()
            before, after = _weight(old, a), _weight(new, b)
            change = after - before
            energy = float(change.double().square().sum())
            if not math.isfinite(energy):
                broken = base if not bool(before.isfinite().all()) else tuned
                raise not_finite(broken, a.tensor)
            if energy <= (_SAME * float(before.norm())) ** 2:
                unchanged += 1
            else:
                layer, error = _low_rank(change, rank, dtype or torch.float16, headers[0].shape(a.tensor))
                layers[place] = layer
                losses.append(LayerLoss(place, min(change.shape), layer.down.shape[0], math.sqrt(error / energy)))
                whole, lost = whole + energy, lost + error
            observer.progress(done + 1, len(weights))
    if not layers:
        raise BadInputError(say("lora.no_difference", base=base.name, tuned=tuned.name, layers=unchanged))
    family = base_family(headers[0])
    tensors = to_tensors(layers, form, family)
    said = {"ss_base_model_version": _VERSIONS[family]} if family in _VERSIONS else {}
    error = math.sqrt(lost / whole)
    metadata = derived_metadata([Parent(base, said), Parent(tuned, said)], tensors, method="extract", rank=rank,
                                title=out.stem, relative_error=error)  # fmt: skip
    save_lora(out, tensors, metadata)
    return Extracted(out, rank, tuple(losses), unchanged, left_out, error, 1 - error * error, out.stat().st_size)


def _common(old: Header, new: Header, *, text_encoder: bool) -> tuple[dict[str, tuple[BaseWeight, BaseWeight]], int]:
    """Linear layers and convolutions that both checkpoints have in one size; how many were left out.

    Raises:
        UnsupportedModelError: there is none.
    """
    first, second = base_weights(old), base_weights(new)
    names = [p for p, weight in first.items() if _is_layer(p, old.shape(weight.tensor))]
    names = [p for p in names if text_encoder or to_parts(p)[0] == "unet"]
    fitting = {
        p: (first[p], second[p])
        for p in names
        if p in second and (first[p].inputs, first[p].outputs) == (second[p].inputs, second[p].outputs)
    }
    if not fitting:
        raise UnsupportedModelError(say("lora.nothing_in_common", old=old.path.name, new=new.path.name))
    return fitting, len(names) - len(fitting)


def _is_layer(place: str, shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 4) and "embedding." not in place.split("text_model.")[-1].replace("time_embedding", "")


def _weight(file: Any, weight: BaseWeight) -> torch.Tensor:
    value = file.get_tensor(weight.tensor).float()
    return (value[slice(*weight.rows)] if weight.rows else value).flatten(1)


def _low_rank(change: torch.Tensor, rank: int, dtype: torch.dtype, shape: tuple[int, ...]) -> tuple[Layer, float]:
    """The stored layer, and the squared norm of what it misses, measured on the full difference."""
    import torch

    count = min(rank + _EXTRA_DIRECTIONS, *change.shape)
    u, values, v = torch.svd_lowrank(change, q=count, niter=2)
    keep = min(rank, *change.shape)
    root = values[:keep].sqrt()
    up, down, _ = stored(u[:, :keep] * root, root[:, None] * v[:, :keep].T, dtype)
    error = float((change - up.float() @ down.float()).double().square().sum())
    return shaped(up, down, shape[1:]), error
