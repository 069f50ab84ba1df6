"""A LoRA made from others: what its tensors are called, and what its metadata say about its parents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..say import say
from .contents import content_id
from .metadata import hashes_of
from .places import Form, layer_name, to_parts

if TYPE_CHECKING:
    import torch

_ENDS: Mapping[Form, tuple[str, str]] = {
    "kohya": (".lora_down.weight", ".lora_up.weight"),
    "core": (".lora_down.weight", ".lora_up.weight"),
    "diffusers": (".lora_A.weight", ".lora_B.weight"),
    "peft": (".lora_A.weight", ".lora_B.weight"),
}
_KEPT = ("ss_base_model_version", "ss_sd_model_name", "ss_resolution", "ss_v2", "modelspec.architecture",
         "modelspec.resolution", "modelspec.prediction_type", "modelspec.usage_hint")  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One layer as it will be stored, with the dimensions of its convolution if it is one.

    ``alpha`` is kept apart so that a conversion changes no number; None means "equal to the rank".
    """

    up: torch.Tensor
    down: torch.Tensor
    alpha: float | None = None


def shaped(up: torch.Tensor, down: torch.Tensor, kernel: tuple[int, ...]) -> Layer:
    """Flat factors with a convolution's dimensions back: ``kernel`` is ``(in, kh, kw)``, or ``(in,)``."""
    rank = down.shape[0]
    return Layer(up.reshape(up.shape[0], rank, *([1] * (len(kernel) - 1))), down.reshape(rank, *kernel))


def to_tensors(layers: Mapping[str, Layer], form: Form, family: str) -> dict[str, torch.Tensor]:
    """Tensors of a LoRA file from layers by place.

    kohya and core store alpha. diffusers and peft read none (alpha is then the rank), so it is multiplied
    into ``up`` there.

    Raises:
        BadInputError: peft's form holds one model, and these layers are of two; or two places share a name.
    """
    import torch

    if form == "peft" and len({to_parts(place)[0] for place in layers}) > 1:
        raise BadInputError(say("lora.peft_one_model"))
    down_end, up_end = _ENDS[form]
    tensors: dict[str, torch.Tensor] = {}
    for place, layer in sorted(fused(layers, form).items()):
        name, up, rank = layer_name(place, form, family), layer.up, layer.down.shape[0]
        alpha = float(rank) if layer.alpha is None else layer.alpha
        if form in ("diffusers", "peft"):
            up = up if alpha == rank else (up.float() * (alpha / rank)).to(up.dtype)
        else:
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
        if name + up_end in tensors:
            raise BadInputError(say("lora.same_layer_names", name=name))
        tensors[name + down_end] = layer.down.contiguous()
        tensors[name + up_end] = up.contiguous()
    return tensors


def fused(layers: Mapping[str, Layer], form: Form) -> dict[str, Layer]:
    """In kohya's form the pieces of a fused weight (``...qkv#q``) are one layer again; exactly.

    Pieces with the same ``down`` share it; others keep their own rows, side by side (ranks add up).
    """
    if form != "kohya":
        return dict(layers)
    whole = {place: layer for place, layer in layers.items() if "#" not in place}
    groups: dict[str, dict[str, Layer]] = {}
    for place, layer in layers.items():
        if "#" in place:
            owner, _, piece = place.partition("#")
            groups.setdefault(owner, {})[piece] = layer
    for owner, pieces in groups.items():
        order = ("q", "k", "v", "mlp") if "linear1" in owner else ("q", "k", "v")
        whole[owner] = _fuse([pieces.get(name) for name in order], [4 if n == "mlp" else 1 for n in order])
    return whole


def _fuse(pieces: Sequence[Layer | None], steps: Sequence[int]) -> Layer:
    import torch

    present = [piece for piece in pieces if piece is not None]
    first = present[0]
    if len(present) == len(pieces) and all(torch.equal(p.down, first.down) and p.alpha == first.alpha for p in present):
        return Layer(torch.cat([p.up for p in present]), first.down, first.alpha)
    unit = next(p.up.shape[0] // s for p, s in zip(pieces, steps, strict=True) if p is not None)
    rank = sum(p.down.shape[0] for p in present)
    up = torch.zeros(unit * sum(steps), rank, dtype=first.up.dtype)
    row = column = 0
    for piece, step in zip(pieces, steps, strict=True):
        if piece is not None:
            r = piece.down.shape[0]
            scale = 1.0 if piece.alpha is None else piece.alpha / r
            up[row : row + piece.up.shape[0], column : column + r] = (piece.up.float() * scale).to(up.dtype)
            column += r
        row += unit * step
    return Layer(up, torch.cat([p.down for p in present]))


@dataclass(frozen=True)
class Parent:
    """A file that went in, and how strongly."""

    path: Path
    metadata: Mapping[str, str]
    strength: float = 1.0

    def to_json(self) -> dict[str, Any]:
        words = trigger_words(self.metadata)
        return {"name": self.path.stem, "sha256": content_id(self.path), "strength": self.strength, "trigger": words}


def derived_metadata(
    parents: Sequence[Parent], tensors: Mapping[str, torch.Tensor], *, method: str, rank: int, title: str, **facts: Any
) -> dict[str, str]:
    """Metadata of a file that was computed from ``parents``: their hashes, strengths and trigger words.

    What all parents agree on about the base model is kept; training facts of a single parent too.
    """
    said = [parent.metadata for parent in parents]
    kept = {k: said[0][k] for k in _KEPT if all(m.get(k) == said[0].get(k) and k in m for m in said)}
    if len(parents) == 1:
        kept = {k: v for k, v in said[0].items() if not k.startswith(("sshs_", "modelspec.hash"))}
    words = list(dict.fromkeys(word for m in said for word in trigger_words(m)))
    history = {
        "method": method,
        "parents": [parent.to_json() for parent in parents],
        **facts,
    }
    metadata = {
        **kept,
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(rank),
        "ss_network_alpha": str(float(rank)),
        "ss_output_name": title,
        "modelspec.title": title,
        "modelspec.date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "trained_words": json.dumps(words, ensure_ascii=False),
        "lorasmith.made_from": json.dumps(history, ensure_ascii=False),
    }
    if words:
        metadata["modelspec.trigger_phrase"] = ", ".join(words)
    hashes = hashes_of(tensors, {k: v for k, v in metadata.items() if k.startswith("ss_")})
    return {**metadata, **hashes, "modelspec.hash_sha256": f"0x{hashes['sshs_model_hash']}"}


def trigger_words(metadata: Mapping[str, str]) -> list[str]:
    """Trigger words that a file names itself; empty when it names none."""
    try:
        words = json.loads(metadata.get("trained_words", "[]"))
    except ValueError:
        words = []
    found = [str(w).strip() for w in words] if isinstance(words, list) else []
    phrase = metadata.get("modelspec.trigger_phrase", "").strip()
    return [w for w in dict.fromkeys(found or [phrase]) if w]
