"""Is it a LoRA? Told from the header: early, while the rest still arrives, and of the whole file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ..errors import UnsupportedModelError
from ..families.header import MAX_HEADER_BYTES, read_header
from ..say import say

_MARKS = ("lora", "hada_", "lokr_", "oft_", "boft", "ia3", "dora_scale")
_ENDS = (".diff", ".diff_b")


def check_start(start: bytes, name: str) -> int:
    """How many bytes are needed to know more; 0 when the header is there and belongs to a LoRA.

    Raises:
        UnsupportedModelError: this is the start of something else.
    """
    if len(start) < 9:
        return 9
    length = int.from_bytes(start[:8], "little")
    if start[8:9] != b"{" or not 2 <= length <= MAX_HEADER_BYTES:
        raise UnsupportedModelError(say("hub.no_safetensors", name=name))
    if len(start) < 8 + length:
        return 8 + length
    try:
        header = json.loads(start[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise UnsupportedModelError(say("hub.header_no_json", name=name)) from error
    _require_lora(header if isinstance(header, dict) else {}, name)
    return 0


def check_whole(path: Path, name: str) -> None:
    """The header fits the file, and names LoRA weights.

    Raises:
        UnsupportedModelError: it does not; the message calls the file ``name``.
    """
    try:
        header = read_header(path)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(str(error).replace(path.name, name)) from error
    _require_lora(header.tensors, name)


def _require_lora(names: Iterable[str], name: str) -> None:
    keys = [key for key in names if key != "__metadata__"]
    if not any(key.lower().endswith(_ENDS) or any(mark in key.lower() for mark in _MARKS) for key in keys):
        if keys:
            raise UnsupportedModelError(say("hub.no_lora_first", name=name, n=len(keys), first=keys[0][:60]))
        raise UnsupportedModelError(say("hub.no_lora", name=name))
