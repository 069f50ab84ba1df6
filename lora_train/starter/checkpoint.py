"""Puts the starter base together: shipped UNet and VAE, text encoder from its seed, one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LorasmithError
from ..files import cache_folder, sha256_of, whole
from ..say import say

NAME = "lorasmith_starter.safetensors"
SHIPPED = Path(__file__).parent / "weights" / "base.safetensors"
"""UNet (int8 rows with a scale each) and VAE (fp16) under the names of a checkpoint."""
SCALE = ".scale"


def starter_checkpoint(folder: Path | None = None) -> Path:
    """The starter base as one SD-1.5-family checkpoint of about 290 MB.

    Args:
        folder: where to keep it; the cache folder when not given.

    Raises:
        LorasmithError: the shipped weights are missing, or the generated text encoder does not
            match its checksum.
        BadInputError: the folder cannot be written.
    """
    path = (folder or cache_folder()) / NAME
    if not SHIPPED.exists():
        raise LorasmithError(say("basemodel.starter_missing", name=SHIPPED.name))
    stamp = sha256_of(SHIPPED)
    if not (path.exists() and _stamp(path) == stamp):
        _assemble(path, stamp)
    return path


def _stamp(path: Path) -> str | None:
    """Which shipped weights a checkpoint was made from; None when it is not one of ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return (file.metadata() or {}).get("lorasmith.starter")
    except (SafetensorError, OSError):
        return None


def _assemble(path: Path, stamp: str) -> None:
    from safetensors.numpy import save_file

    from .text_encoder import SHA256, digest, text_encoder_weights

    text = text_encoder_weights()
    if (seen := digest(text)) != SHA256:
        raise LorasmithError(say("basemodel.starter_checksum", seen=seen[:12], expected=SHA256[:12]))
    tensors = shipped_weights()
    tensors |= {f"cond_stage_model.transformer.{name}": value for name, value in text.items()}
    facts = {"title": "Lorasmith starter", "resolution_px": 96, "family": "sd15"}
    metadata = {
        "lorasmith.starter": stamp,
        "lorasmith.facts": json.dumps(facts),
        "modelspec.title": "Lorasmith starter",
        "modelspec.architecture": "stable-diffusion-v1",
    }
    with whole(path) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def shipped_weights() -> dict[str, np.ndarray]:
    """UNet and VAE as fp16 under checkpoint names."""
    from safetensors.numpy import load_file

    raw = load_file(SHIPPED)
    out: dict[str, Any] = {}
    for name, value in raw.items():
        if name.endswith(SCALE):
            continue
        scale = raw.get(name + SCALE)
        if scale is None:
            out[name] = value
        else:
            rows = value.astype(np.float32) * scale.reshape(-1, *[1] * (value.ndim - 1))
            out[name] = rows.astype(np.float16)
    return out


def pack(weights: dict[str, np.ndarray], path: Path) -> None:
    """Write weights as :func:`shipped_weights` reads them: large UNet matrices as int8 rows."""
    from safetensors.numpy import save_file

    out: dict[str, np.ndarray] = {}
    for name, value in weights.items():
        if name.startswith("first_stage_model.") or value.ndim < 2 or value.size < 16_384:
            out[name] = value.astype(np.float16)
            continue
        rows = value.astype(np.float32).reshape(value.shape[0], -1)
        scale = np.maximum(np.abs(rows).max(1) / 127, 1e-12)
        out[name] = np.rint(rows / scale[:, None]).astype(np.int8).reshape(value.shape)
        out[name + SCALE] = scale.astype(np.float32)
    with whole(path) as temporary:
        save_file(out, temporary)
