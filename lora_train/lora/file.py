"""Reading and writing LoRA files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError, LorasmithError, UnsupportedModelError
from ..families.header import read_header
from ..files import whole
from .keys import Factors, split_name

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Lora:
    """A LoRA file in memory: factors by the layer names that the file uses."""

    path: Path
    layers: Mapping[str, Factors]
    metadata: Mapping[str, str]

    @property
    def trigger(self) -> str:
        """The trigger word that the file's metadata names; empty when it names none."""
        return self.metadata.get("modelspec.trigger_phrase", "")


def read_lora(path: Path) -> Lora:
    """Read a LoRA file (plain low-rank pairs).

    Raises:
        UnsupportedModelError: no safetensors file, no LoRA, or a kind that is not plain low-rank.
    """
    from safetensors.torch import load_file

    header = read_header(Path(path))
    grouped: dict[str, dict[str, torch.Tensor]] = {}
    others: list[str] = []
    for name, value in load_file(str(path)).items():
        layer, role = split_name(name)
        if role == "other":
            others.append(name)
        else:
            grouped.setdefault(layer, {})[role] = value
    _refuse_other_kinds(Path(path), grouped, others)
    layers = {layer: _factors(Path(path), layer, parts) for layer, parts in grouped.items()}
    return Lora(Path(path), layers, header.metadata)


def _factors(path: Path, layer: str, parts: Mapping[str, torch.Tensor]) -> Factors:
    if "down" not in parts or "up" not in parts:
        missing = "lora_down" if "down" not in parts else "lora_up"
        raise UnsupportedModelError(
            f"'{path.name}' is incomplete: layer '{layer}' has no {missing}. Download or copy it again."
        )
    down, up = parts["down"], parts["up"]
    if up.shape[1] != down.shape[0]:
        raise UnsupportedModelError(
            f"'{path.name}' is damaged: in layer '{layer}' the factors {tuple(up.shape)} and "
            f"{tuple(down.shape)} do not fit. Download or copy it again."
        )
    alpha = float(parts["alpha"]) if "alpha" in parts else float(down.shape[0])
    return Factors(down, up, alpha)


def _refuse_other_kinds(path: Path, grouped: Mapping[str, object], others: list[str]) -> None:
    if grouped and not others:
        return
    if any("hada_" in name or "lokr_" in name for name in others):
        raise UnsupportedModelError(
            f"'{path.name}' is a LoHa or LoKr, not a plain LoRA. ComfyUI's own loader applies it; "
            "Lorasmith cannot take it apart yet."
        )
    if any("dora_scale" in name or "magnitude" in name for name in others):
        raise UnsupportedModelError(
            f"'{path.name}' is a DoRA, not a plain LoRA. ComfyUI's own loader applies it; "
            "Lorasmith cannot take it apart yet."
        )
    name = (others or ["nothing"])[0]
    raise UnsupportedModelError(
        f"'{path.name}' is no LoRA that Lorasmith can read: it holds '{name[:80]}'. Choose a LoRA file."
    )


def save_lora(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a LoRA file whole or not at all, then read it back and compare every value.

    Raises:
        BadInputError: the disk is full or the folder cannot be written.
        LorasmithError: what is on the disk differs from what was written.
    """
    write_tensors(path, tensors, metadata)
    check_same(path, tensors)
    return path


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write named tensors as a safetensors file, whole or not at all.

    Raises:
        BadInputError: the disk is full or the folder cannot be written.
    """
    from safetensors.torch import save

    content = save(dict(tensors), metadata=dict(metadata))
    with whole(Path(path)) as temporary:
        temporary.write_bytes(content)


def check_same(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Compare the file with ``tensors``, bit for bit.

    Raises:
        LorasmithError: names or values differ.
    """
    import torch
    from safetensors.torch import load_file

    read_header(path)
    stored = load_file(str(path))
    different = set(stored) ^ set(tensors)
    different |= {n for n in set(stored) & set(tensors) if not torch.equal(stored[n], tensors[n].cpu())}
    if different:
        raise LorasmithError(
            f"'{path}' does not hold what was written to it ({len(different)} tensors differ). The "
            "disk may be failing; save to another one."
        )


def require_finite(layers: Mapping[str, Factors]) -> None:
    """Refuse factors with NaN or infinity.

    Raises:
        BadInputError: names the first such layer.
    """
    for name, pair in layers.items():
        if not (pair.down.isfinite().all() and pair.up.isfinite().all()):
            raise BadInputError(
                f"The LoRA holds NaN or infinity in layer '{name}', so it would only make black images. "
                "Train again with half the learning rate."
            )
