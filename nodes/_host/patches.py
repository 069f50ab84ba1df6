"""Puts LoRAs on models: names to weights, patches, clones."""

from __future__ import annotations

import math
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...lora_train.errors import BadInputError
from ...lora_train.say import say

if TYPE_CHECKING:
    import torch

Target = Any
"""A weight as ComfyUI names it: its key, or ``(key, (dimension, first, length), ...)`` for a part of it."""
Part = tuple[Any, Any, float]
"""``(up, down, coefficient)``: one plain LoRA's share in a weight."""
Patches = Mapping[Target, Any]


@dataclass(frozen=True)
class Targets:
    """Which names in LoRA files mean which weight of a model and its text encoder."""

    names: Mapping[str, Target]
    shapes: Mapping[str, tuple[int, ...]]
    """Of the weights that are stored as plain floating point numbers."""
    model_keys: frozenset[str]
    """The weights of MODEL; all others are CLIP's."""
    fingerprint: int
    """The same for all models that read LoRA files alike."""


@dataclass(frozen=True)
class FilePatches:
    """One file as patches for one kind of model."""

    patches: Patches
    unused: tuple[str, ...]
    """Tensors that fit nothing in these models."""
    metadata: Mapping[str, str]
    bytes: int


_targets: weakref.WeakKeyDictionary[Any, tuple[Any, Targets]] = weakref.WeakKeyDictionary()


def targets_of(model: Any, clip: Any) -> Targets:
    """What a LoRA can change in MODEL and CLIP; remembered as long as both are in memory."""
    import comfy.lora

    unet, encoder = model.model, clip.cond_stage_model
    known = _targets.get(unet)
    if known is not None and known[0]() is encoder:
        return known[1]
    names = comfy.lora.model_lora_keys_clip(encoder, comfy.lora.model_lora_keys_unet(unet, {}))
    own = unet.state_dict()
    weights = {**own, **encoder.state_dict()}
    shapes = {key: tuple(value.shape) for key, value in weights.items() if value.is_floating_point()}
    found = Targets(names, shapes, frozenset(own), hash((frozenset(names.items()), frozenset(shapes.items()))))
    _targets[unet] = (weakref.ref(encoder), found)
    return found


def read_patches(path: Path, targets: Targets) -> FilePatches:
    """A LoRA file through ComfyUI's own reader: plain LoRA, LoHa, LoKr, DoRA, OFT, differences ..."""
    import comfy.lora
    import comfy.lora_convert
    import comfy.utils

    tensors, metadata = comfy.utils.load_torch_file(str(path), safe_load=True, return_metadata=True)
    tensors = comfy.lora_convert.convert_lora(tensors)
    patches = comfy.lora.load_lora(tensors, _named_in(tensors, targets.names), log_missing=False)
    used = _used(patches)
    if len(used) < len(tensors):  # something is left over: ask for every name there is
        patches = comfy.lora.load_lora(tensors, targets.names, log_missing=False)
        used = _used(patches)
    fitting = {target: patch for target, patch in patches.items() if _fits(target, patch, targets.shapes)}
    unused = [name for name in tensors if used and name not in used]
    unused += [_key(target) for target in patches if target not in fitting]
    size = sum(value.numel() * value.element_size() for value in tensors.values())
    return FilePatches(fitting, tuple(unused), dict(metadata or {}), size)


def _named_in(tensors: Iterable[str], names: Mapping[str, Target]) -> Mapping[str, Target]:
    """The names that begin a tensor's name. ComfyUI's reader tries every spelling of every name it is given."""
    starts: set[str] = set()
    for tensor in tensors:
        end = tensor.find(".")
        while end >= 0:
            starts.add(tensor[:end].removesuffix("_lora"))
            starts.add(tensor[:end])
            end = tensor.find(".", end + 1)
    return {name: target for name, target in names.items() if name in starts}


def _used(patches: Patches) -> set[str]:
    """Tensors that were made patches. All adapters of a file share one set: one of them is enough."""
    return next((patch.loaded_keys for patch in patches.values() if hasattr(patch, "loaded_keys")), set())


def _key(target: Target) -> str:
    return target if isinstance(target, str) else target[0]


def _fits(target: Target, patch: Any, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """False for a plain pair whose product has another size than the weight."""
    shape = shapes.get(_key(target))
    pair = plain_part(patch, 1.0)
    if shape is None or pair is None:
        return True
    up, down, _ = pair
    size = list(shape)
    if not isinstance(target, str) and target[1] is not None:
        size[target[1][0]] = target[1][2]
    outputs, inputs = size[0], 1
    for n in size[1:]:
        inputs *= n
    return up.shape[0] * down[0].numel() == outputs * inputs and up.flatten(1).shape[1] == down.shape[0]


def plain_part(patch: Any, strength: float) -> Part | None:
    """The factors of a plain LoRA patch; None for every other kind (Tucker, DoRA, LoHa, differences ...)."""
    import comfy.weight_adapter

    if type(patch) is not comfy.weight_adapter.LoRAAdapter:
        return None
    up, down, alpha, middle, magnitude, shape = patch.weights
    if middle is not None or magnitude is not None or shape is not None:
        return None
    scale = 1.0 if alpha is None else alpha / down.shape[0]
    return up, down, strength * scale


def joined(parts: Sequence[Part]) -> Any:
    """One patch that adds ``sum of c_i up_i @ down_i``: one product, one addition, one rounding."""
    return _joined_class()(set(), tuple(parts))


@lru_cache(maxsize=1)
def _joined_class() -> type:
    import comfy.model_management as management
    import torch
    from comfy.weight_adapter.base import WeightAdapterBase

    class JoinedLora(WeightAdapterBase):
        """Ranks side by side: ``[c_1 up_1, c_2 up_2, ...] @ [down_1; down_2; ...]``.

        Put together only while a weight is being changed, so a stack costs no memory and changing a
        strength costs nothing. ComfyUI rebuilds adapters from ``(loaded_keys, weights)``.
        """

        name = "lorasmith_joined"

        def __init__(self, loaded_keys: set[str], weights: tuple[Part, ...]) -> None:
            self.loaded_keys = loaded_keys
            self.weights = weights

        def calculate_weight(
            self, weight: torch.Tensor, key: str, strength: float, strength_model: float, offset: Any,
            function: Any, intermediate_dtype: torch.dtype = torch.float32, original_weight: Any = None,
        ) -> torch.Tensor:  # fmt: skip
            ups, downs = [], []
            for up, down, coefficient in self.weights:
                scaled = management.cast_to_device(up, weight.device, torch.float32).flatten(1) * coefficient
                ups.append(scaled.to(intermediate_dtype))
                downs.append(management.cast_to_device(down, weight.device, intermediate_dtype).flatten(1))
            change = torch.mm(torch.cat(ups, dim=1), torch.cat(downs)).reshape(weight.shape)
            change = change if strength == 1.0 else change * strength
            weight += function(change.type(weight.dtype))
            return weight

    return JoinedLora


def with_patches(patcher: Any, rounds: Sequence[tuple[float, Patches]], signature: str) -> tuple[Any, int]:
    """A clone of MODEL or CLIP with patches on top, and how many weights they reach.

    The same patches on the same model get the same identity, so ComfyUI does not load it anew for them.
    """
    new = patcher.clone()
    inner = getattr(new, "patcher", new)
    before = inner.patches_uuid
    reached: set[Target] = set()
    for strength, patches in rounds:
        reached.update(new.add_patches(patches, strength))
    inner.patches_uuid = uuid.uuid5(before, signature) if reached else before
    return new, len(reached)


def note_metadata(patcher: Any, metadata: Mapping[str, str]) -> None:
    """Where ComfyUI's own loader leaves a LoRA's metadata for nodes that ask for them."""
    if metadata:
        getattr(patcher, "patcher", patcher).set_attachments("lora_metadata", dict(metadata))


def available_bytes() -> int:
    """Main memory that is free or can be freed."""
    import psutil

    return int(psutil.virtual_memory().available)


def require_finite(path: Path, patches: Patches) -> None:
    """Refuse NaN and infinity.

    Raises:
        BadInputError: names the first such weight.
    """
    import torch

    for target, patch in patches.items():
        values = patch[1] if isinstance(patch, tuple) else patch.weights
        for value in values:
            if isinstance(value, torch.Tensor) and value.is_floating_point() and not _finite(value):
                raise BadInputError(say("node.patch_nan", name=path.name, key=_key(target)))


def _finite(value: torch.Tensor) -> bool:
    import torch

    if value.element_size() == 1:  # eight-bit floats have no arithmetic here
        value = value.to(torch.float16)
    if math.isfinite(value.sum(dtype=torch.float32).item()):  # NaN and infinity survive a sum
        return True
    low, high = value.aminmax()  # or the sum was too large for its format
    return bool(low.isfinite() & high.isfinite())
