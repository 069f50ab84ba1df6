"""What a LoRA file is, told from its header and its metadata."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import UnsupportedModelError
from ..families.header import Header, read_header
from .keys import split_name

Format = Literal["kohya", "diffusers", "peft", "mixed", "other"]
_WIDTHS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}
_NAMED = {
    "double_blocks": "flux",
    "single_transformer_blocks": "flux",
    "joint_blocks": "sd3",
    "noise_refiner": "z-image",
    "img_mod": "qwen-image",
}


@dataclass(frozen=True)
class LoraInfo:
    """``rank`` and ``alpha`` are the most common ones; ``ranks`` counts layers per rank."""

    path: Path
    family: str
    rank: int
    alpha: float
    modules: int
    format: Format
    trigger: str
    metadata: Mapping[str, str]
    ranks: Mapping[int, int]
    parts: Mapping[str, int]
    """Layers per part of the model (unet, text_encoder)."""
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path), "metadata": dict(self.metadata)}

    def text(self) -> str:
        """One sentence for people."""
        where = ", ".join(f"{count} in the {part.replace('_', ' ')}" for part, count in self.parts.items())
        word = f", trigger word '{self.trigger}'" if self.trigger else ", no trigger word noted"
        return (
            f"{self.path.name}: LoRA for {self.family}, rank {self.rank}, alpha {self.alpha:g}, "
            f"{self.modules} layers ({where}), {self.format} names{word}, {self.bytes / 1e6:.1f} MB."
        )


def inspect(path: Path) -> LoraInfo:
    """Describe the LoRA in ``path``.

    Raises:
        UnsupportedModelError: no safetensors file, or no LoRA in it.
    """
    header = read_header(Path(path))
    ranks: Counter[int] = Counter()
    parts: Counter[str] = Counter()
    formats: set[Format] = set()
    for name, info in header.tensors.items():
        layer, role = split_name(name)
        if role == "down":
            ranks[info.shape[0] if info.shape else 0] += 1
            parts["text_encoder" if layer.startswith(("lora_te", "text_encoder")) else "unet"] += 1
            formats.add(_format(name))
    if not ranks:
        raise UnsupportedModelError(
            f"'{Path(path).name}' is no LoRA: no tensor in it ends in lora_down, lora_A or the like "
            f"(the first is '{next(iter(header.tensors))[:60]}'). Choose a LoRA file."
        )
    rank = ranks.most_common(1)[0][0]
    return LoraInfo(
        path=Path(path),
        family=_family(header),
        rank=rank,
        alpha=_alpha(header, rank),
        modules=sum(ranks.values()),
        format=formats.pop() if len(formats) == 1 else "mixed",
        trigger=_trigger(header.metadata),
        metadata=header.metadata,
        ranks=dict(ranks),
        parts=dict(parts),
        bytes=Path(path).stat().st_size,
    )


def _format(name: str) -> Format:
    if name.startswith(("lora_unet_", "lora_te", "lora_transformer_")):
        return "kohya"
    if name.startswith("base_model.model."):
        return "peft"
    return "diffusers" if name.startswith(("unet.", "text_encoder", "transformer.")) else "other"


def _family(header: Header) -> str:
    for part, family in _NAMED.items():
        if any(part in name for name in header.tensors):
            return family
    for name, info in header.tensors.items():
        layer, role = split_name(name)
        if role == "down" and layer.endswith(("attn2_to_k", "attn2.to_k")) and len(info.shape) > 1:
            return _WIDTHS.get(info.shape[1], "unknown")
    return header.metadata.get("ss_base_model_version", "unknown")


def _alpha(header: Header, rank: int) -> float:
    """The most common stored alpha; a file without any works as if alpha were the rank."""
    from safetensors import safe_open

    names = [name for name in header.tensors if name.endswith(".alpha")]
    if not names:
        return float(rank)
    with safe_open(str(header.path), framework="np") as file:
        values = Counter(float(file.get_tensor(name)) for name in names)
    return values.most_common(1)[0][0]


def _trigger(metadata: Mapping[str, str]) -> str:
    """Trigger word by the fields that trainers use, the surest first."""
    phrase = metadata.get("modelspec.trigger_phrase", "")
    return phrase or _first_tag(metadata.get("ss_tag_frequency", ""))


def _first_tag(frequency: str) -> str:
    try:
        folders = json.loads(frequency or "{}")
        tags = next(iter(folders.values()), {})
        return str(max(tags, key=lambda tag: tags[tag])) if tags else ""
    except (ValueError, AttributeError, TypeError):
        return ""
