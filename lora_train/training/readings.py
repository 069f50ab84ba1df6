"""What was seen in earlier rounds of samples, kept so that a resumed run goes on judging where it stopped.

A safetensors file: ``rows.<step>`` (n, d) fp32 and ``copied.<step>`` (n,) uint8; norms are in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .signals import Seen

KIND = "lorasmith.readings"


def save_seen(path: Path, seen: Sequence[Seen]) -> None:
    """Write all rounds, whole or not at all.

    Raises:
        BadInputError: the disk is full.
    """
    import torch

    from ..lora.file import write_tensors

    tensors = {}
    for one in seen:
        tensors[f"rows.{one.step:08d}"] = torch.from_numpy(one.rows.astype("float32"))
        tensors[f"copied.{one.step:08d}"] = torch.from_numpy(one.copied.astype("uint8"))
    norms = {str(one.step): one.norm for one in seen}
    write_tensors(path, tensors, {"kind": KIND, "norms": json.dumps(norms)})


def load_seen(path: Path, until_step: int, pictures: int) -> list[Seen]:
    """The rounds up to ``until_step`` with step 0 first; empty when there are none of ``pictures`` pictures."""
    from safetensors.numpy import load_file

    from ..families.header import read_header

    if not path.is_file():
        return []
    header = read_header(path)
    if header.metadata.get("kind") != KIND:
        return []
    arrays = load_file(str(path))
    norms: dict[str, float] = json.loads(header.metadata["norms"])
    steps = sorted(int(step) for step in norms if int(step) <= until_step)
    if not steps or steps[0] or any(len(arrays[f"rows.{step:08d}"]) != pictures for step in steps):
        return []
    return [
        Seen(step, norms[str(step)], arrays[f"rows.{step:08d}"], arrays[f"copied.{step:08d}"].astype(bool))
        for step in steps
    ]
