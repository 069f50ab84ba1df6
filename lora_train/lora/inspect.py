"""What a LoRA file is, told from its header and its metadata."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UnsupportedModelError
from ..families.header import Header, read_header
from ..say import say
from .contents import content_id
from .derive import trigger_words
from .keys import split_name
from .kinds import AdapterKind, FileForm, family_of, form_of, kinds_of

Format = FileForm
_TRAINING = {
    "steps": "ss_steps", "epochs": "ss_epoch", "images": "ss_num_train_images", "learning_rate": "ss_learning_rate",
    "optimizer": "ss_optimizer", "schedule": "ss_lr_scheduler", "batch_size": "ss_batch_size_per_device",
    "resolution": "ss_resolution", "base": "ss_sd_model_name", "seed": "ss_seed", "trainer": "ss_training_comment",
}  # fmt: skip
_RANK_ROLES = {".hada_w1_b": 0, ".lokr_w2_b": 0, ".lokr_w1_b": 0}


@dataclass(frozen=True)
class Hashes:
    """By these a file is found on Civitai, and named in A1111's pictures."""

    sha256: str
    autov2: str
    """The first 10 characters of ``sha256``."""
    autov3: str
    """The first 12 characters of the SHA-256 of the tensor data: the same after the metadata were edited."""


@dataclass(frozen=True)
class LoraInfo:
    """``rank`` and ``alpha`` are the most common ones; ``ranks`` counts layers per rank."""

    path: Path
    family: str
    rank: int
    alpha: float
    modules: int
    format: FileForm
    trigger: str
    metadata: Mapping[str, str]
    ranks: Mapping[int, int]
    parts: Mapping[str, int]
    """Layers per part of the model (unet, text_encoder)."""
    bytes: int
    kinds: Mapping[AdapterKind, int] = field(default_factory=dict)
    """Layers per kind of adapter: lora, loha, lokr, dora, diff ..."""
    trigger_words: tuple[str, ...] = ()
    tags: Mapping[str, int] = field(default_factory=dict)
    """Caption tags and how often they occur, the most frequent first."""
    training: Mapping[str, str] = field(default_factory=dict)
    """What the trainer noted: steps, learning rate ..."""
    hashes: Hashes | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path), "metadata": dict(self.metadata)}

    def text(self) -> str:
        """One sentence for people."""
        return say("lora.what", name=self.path.name, kind=self.kind_words(), facts=self.facts())

    def kind_words(self) -> str:
        """What kind of adapter for which family."""
        kind = max(self.kinds, key=lambda k: self.kinds[k], default="lora")
        title = {"lora": "LoRA", "loha": "LoHa", "lokr": "LoKr", "dora": "DoRA"}.get(kind, kind)
        return say("lora.kind_for", kind=title, family=self.family)

    def facts(self) -> str:
        """Rank, layers, names, trigger word and size in a line."""
        parts = [say("lora.in_part", count=n, part=part.replace("_", " ")) for part, n in self.parts.items()]
        said = [say("lora.size", rank=self.rank, alpha=self.alpha)] if self.rank else []
        said += [say("lora.layers", count=self.modules, parts=parts), say("lora.names", form=self.format)]
        said.append(say("lora.trigger", word=self.trigger) if self.trigger else say("lora.no_trigger"))
        return say("lora.facts", facts=said, megabytes=self.bytes / 1e6)

    def lines(self) -> list[str]:
        """What there is to know beyond :meth:`text`, one thing a line."""
        found: list[str] = []
        if self.training:
            found.append(say("lora.trained_with", facts=[f"{k} {v}" for k, v in self.training.items()]))
        if self.tags:
            found.append(say("lora.tags", tags=[f"{tag} ({count})" for tag, count in list(self.tags.items())[:12]]))
        if len(self.ranks) > 1:
            ranks = [say("lora.of_rank", count=n, rank=rank) for rank, n in sorted(self.ranks.items())]
            found.append(say("lora.ranks", ranks=ranks))
        if self.hashes:
            found.append(f"SHA-256 {self.hashes.sha256}, AutoV2 {self.hashes.autov2}, AutoV3 {self.hashes.autov3}")
        return found


def inspect(path: Path, *, hashes: bool = False) -> LoraInfo:
    """Describe the LoRA in ``path``; with ``hashes`` its whole content is read.

    Raises:
        UnsupportedModelError: no safetensors file, or no LoRA in it.
    """
    header = read_header(Path(path))
    kinds: dict[AdapterKind, int] = kinds_of(header)
    kinds.pop("unknown", None)
    if not kinds:
        raise UnsupportedModelError(say("lora.no_lora", name=Path(path).name, first=next(iter(header.tensors))[:60]))
    ranks, parts = _ranks_and_parts(header)
    rank = ranks.most_common(1)[0][0] if ranks else 0
    tags = _tags(header.metadata)
    words = trigger_words(header.metadata)
    return LoraInfo(
        path=Path(path),
        family=family_of(header),
        rank=rank,
        alpha=_alpha(header, rank),
        modules=sum(kinds.values()),
        format=form_of(header),
        trigger=words[0] if words else next(iter(tags), ""),
        metadata=header.metadata,
        ranks=dict(ranks),
        parts=dict(parts),
        bytes=Path(path).stat().st_size,
        kinds=kinds,
        trigger_words=tuple(words),
        tags=tags,
        training=_training(header.metadata),
        hashes=hashes_of_file(Path(path)) if hashes else None,
    )


def hashes_of_file(path: Path) -> Hashes:
    """SHA-256, AutoV2 and AutoV3 of a safetensors file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        while block := file.read(1 << 20):
            digest.update(block)
    whole = content_id(path)
    return Hashes(whole, whole[:10], digest.hexdigest()[:12])


def _ranks_and_parts(header: Header) -> tuple[Counter[int], Counter[str]]:
    ranks: Counter[int] = Counter()
    layers: dict[str, str] = {}
    for name, info in header.tensors.items():
        layer, role = split_name(name)
        if role == "alpha":
            continue
        layer = layer if role != "other" else name.rpartition(".")[0]
        layers[layer] = "text_encoder" if layer.startswith(("lora_te", "text_encoder")) else "unet"
        end = next((end for end in _RANK_ROLES if name.endswith(end)), None)
        if role == "down" or end:
            ranks[info.shape[0] if info.shape else 0] += 1
    return ranks, Counter(layers.values())


def _alpha(header: Header, rank: int) -> float:
    """The most common stored alpha; a file without any works as if alpha were the rank."""
    from safetensors import safe_open

    names = [name for name in header.tensors if name.endswith(".alpha")]
    if not names:
        return float(rank)
    with safe_open(str(header.path), framework="np") as file:
        values = Counter(float(file.get_tensor(name)) for name in names)
    return values.most_common(1)[0][0]


def _training(metadata: Mapping[str, str]) -> dict[str, str]:
    noted = {fact: metadata.get(name, "") for fact, name in _TRAINING.items()}
    return {fact: value for fact, value in noted.items() if value not in ("", "None")}


def _tags(metadata: Mapping[str, str]) -> dict[str, int]:
    """Caption tags over all folders (``ss_tag_frequency``), the most frequent first."""
    try:
        folders = json.loads(metadata.get("ss_tag_frequency") or "{}")
        counts: Counter[str] = Counter()
        for tags in folders.values():
            counts.update({str(tag): int(count) for tag, count in tags.items()})
    except (ValueError, AttributeError, TypeError):
        return {}
    return dict(counts.most_common())
