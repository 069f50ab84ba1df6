"""The weights of a base model that a LoRA can change, by their places, read from its header."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInputError
from ..families.header import Header, read_header
from ..files import cache_folder, write_json
from .places import fused_rows, place_of

_WIDTHS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}
_TEXT = (
    ("conditioner.embedders.0.transformer.", "te1."),
    ("cond_stage_model.transformer.", "te1."),
    ("text_encoders.clip_l.transformer.", "te1."),
    ("text_encoders.clip_g.transformer.", "te2."),
    ("text_encoders.t5xxl.transformer.", "te3."),
)
_OPEN_CLIP = re.compile(r"(conditioner\.embedders\.1|cond_stage_model)\.model\.transformer\.resblocks\.(\d+)\.(.+)")
_OPEN_CLIP_NAMES = {
    "attn.out_proj.weight": "self_attn.out_proj",
    "mlp.c_fc.weight": "mlp.fc1",
    "mlp.c_proj.weight": "mlp.fc2",
}


@dataclass(frozen=True)
class BaseWeight:
    """One weight, or the ``rows`` of a fused one."""

    tensor: str
    inputs: int
    """Columns of the flattened weight: ``in`` or ``in * kh * kw``."""
    outputs: int
    rows: tuple[int, int] | None = None


def base_family(header: Header) -> str:
    """The family that decides how places are named; empty when it does not matter."""
    if any("double_blocks." in name for name in header.tensors):
        return "flux"
    for name, info in header.tensors.items():
        if name.endswith("attn2.to_k.weight") and len(info.shape) == 2:
            return _WIDTHS.get(info.shape[1], "")
    return ""


def base_weights(header: Header) -> dict[str, BaseWeight]:
    """Every weight with two or more dimensions by its place."""
    family = base_family(header)
    found: dict[str, BaseWeight] = {}
    for name, info in header.tensors.items():
        if len(info.shape) < 2 or not name.endswith("weight") or name.startswith("first_stage_model."):
            continue
        outputs, inputs = info.shape[0], math.prod(info.shape[1:])
        for place, rows in _places(name, outputs, family):
            size = rows[1] - rows[0] if rows else outputs
            found[place] = BaseWeight(name, inputs, size, rows)
    return found


def _places(name: str, outputs: int, family: str) -> Iterable[tuple[str, tuple[int, int] | None]]:
    clip = _OPEN_CLIP.fullmatch(name)
    if clip:
        part = "te2" if clip[1].startswith("conditioner") else "te1"
        layer = f"{part}.text_model.encoder.layers.{clip[2]}."
        if clip[3] == "attn.in_proj_weight":
            step = outputs // 3
            return [(f"{layer}self_attn.{n}_proj", (i * step, (i + 1) * step)) for i, n in enumerate("qkv")]
        return [(layer + _OPEN_CLIP_NAMES[clip[3]], None)] if clip[3] in _OPEN_CLIP_NAMES else []
    plain = name.removesuffix(".weight")
    for start, part in _TEXT:
        if plain.startswith(start):
            return [(part + plain[len(start) :], None)]
    place = place_of(plain, family)
    pieces = fused_rows(place, outputs) if family == "flux" else ()
    return [(piece, (first, last)) for piece, first, last in pieces] or [(place, None)]


def matched(weights: Mapping[str, BaseWeight], sizes: Mapping[str, tuple[int, int]]) -> float:
    """Share of a LoRA's layers (place -> inputs, outputs) that this base has, in the same size."""
    fitting = sum(
        1 for place, (inputs, outputs) in sizes.items()
        if (w := weights.get(place)) and (w.inputs, w.outputs) == (inputs, outputs)
    )  # fmt: skip
    return fitting / max(len(sizes), 1)


def norms(path: Path, places: Iterable[str], cache: Path | None = None) -> dict[str, float]:
    """Frobenius norms of the base's weights at ``places``; places it lacks are left out.

    Remembered by the file's full path, size and date.

    Raises:
        UnsupportedModelError: no safetensors file, or cut off.
    """
    full = Path(path).resolve()
    header = read_header(full)
    weights = {place: w for place, w in base_weights(header).items()}
    state = full.stat()
    key = hashlib.sha256(f"{full}\n{state.st_size}\n{state.st_mtime_ns}".encode()).hexdigest()[:32]
    note = (cache or cache_folder()) / "norms" / f"{key}.json"
    known = _read_note(note)
    missing = [place for place in places if place in weights and place not in known]
    if missing:
        known |= _norms(full, {place: weights[place] for place in missing})
        _write_note(note, known)
    return {place: known[place] for place in places if place in known}


def _norms(path: Path, weights: Mapping[str, BaseWeight]) -> dict[str, float]:
    import torch
    from safetensors import safe_open

    found: dict[str, float] = {}
    with safe_open(str(path), framework="pt") as file, torch.inference_mode():
        for place, weight in weights.items():
            value = file.get_tensor(weight.tensor)
            value = value[slice(*weight.rows)] if weight.rows else value
            found[place] = float(torch.linalg.vector_norm(value.float()))
    return found


def _read_note(note: Path) -> dict[str, float]:
    try:
        return {str(k): float(v) for k, v in json.loads(note.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # not yet noted, or a broken note: measured again


def _write_note(note: Path, known: Mapping[str, float]) -> None:
    try:
        write_json(note, dict(known))
    except (BadInputError, ValueError):
        return  # a cache that cannot be written (or a NaN in the base) costs time, never a run
