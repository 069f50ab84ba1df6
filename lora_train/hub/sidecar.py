"""What is written beside a LoRA: where it came from, and a small picture.

The JSON has the keys that A1111, Forge and their relatives read ("activation text", "sd version", …), and
everything else under "lorasmith". Files that exist already, of whatever tool, are left alone.
"""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from typing import Any

from ..errors import LorasmithError
from ..files import whole, write_json
from ..say import say
from .keys import Key
from .policy import Policy
from .record import Record
from .web import HubError, ask, read_all

PREVIEW_SIDE_PX = 512
MAX_PICTURE_PIXELS = 64_000_000
_PREVIEWS = tuple(f"{middle}.{kind}" for middle in (".preview", "") for kind in ("png", "jpg", "jpeg", "webp"))


def sidecar_path(lora: Path) -> Path:
    """``anna.safetensors`` -> ``anna.json``."""
    return lora.with_suffix(".json")


def write_sidecars(
    record: Record, lora: Path, policy: Policy, key: Key | None, *, again: bool = False
) -> tuple[Path | None, Path | None, tuple[str, ...]]:
    """Write JSON and preview where there is none; what failed comes back in words, as the LoRA is fine.

    ``again``: the LoRA was there before, so that a sidecar of its own is no surprise.
    """
    notes: list[str] = []
    sidecar, preview = sidecar_path(lora), lora.with_name(f"{lora.stem}.preview.jpg")
    try:
        if not sidecar.exists():
            write_json(sidecar, as_sidecar(record))
        elif not again:
            notes.append(say("hub.sidecar_kept", name=sidecar.name))
        if record.preview_address and not any(lora.with_name(lora.stem + end).exists() for end in _PREVIEWS):
            content = fetch_preview(record, policy, key, PREVIEW_SIDE_PX)
            with whole(preview) as temporary:
                temporary.write_bytes(content)
    except LorasmithError as error:
        notes.append(str(error))
    return (sidecar if sidecar.exists() else None), (preview if preview.exists() else None), tuple(notes)


def as_sidecar(record: Record) -> dict[str, Any]:
    """The JSON beside a LoRA; it holds no key and no signed address."""
    return {
        "description": f"{record.name}{f', {record.version}' if record.version else ''}",
        "sd version": _sd_version(record.base),
        "activation text": ", ".join(record.triggers),
        "preferred weight": 0,
        "notes": f"{record.page} ({record.licence or 'licence not named'})",
        "lorasmith": {
            "version": 1,
            "hub": record.hub,
            "source": record.link,
            "page": record.page,
            "name": record.name,
            "model_version": record.version,
            "file": record.file_name,
            "sha256": record.sha256,
            "base": record.base,
            "author": record.author,
            "licence": record.licence,
            "triggers": list(record.triggers),
            "scan": record.scan,
            "facts": dict(record.facts),
            "fetched": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }


def _sd_version(base: str) -> str:
    """In the words that A1111 knows."""
    plain = base.lower().replace(" ", "").replace("-", "")
    if any(word in plain for word in ("sdxl", "xlbase", "pony", "illustrious", "noobai")):
        return "SDXL"
    if plain.startswith(("sd1", "stablediffusionv1")) or "stablediffusionv1" in plain:
        return "SD1"
    return "SD2" if plain.startswith("sd2") or "stablediffusion2" in plain else "Unknown"


def fetch_preview(record: Record, policy: Policy, key: Key | None, side_px: int) -> bytes:
    """The record's picture as a small JPEG, drawn anew: whatever else was in the file is gone.

    Raises:
        HubError: there is no picture, or it cannot be fetched or read.
    """
    if not record.preview_address:
        raise HubError(say("hub.no_mild_picture"))
    with ask(policy, record.preview_address, key, hub=record.hub) as answer:
        content = read_all(answer, policy.max_preview_bytes, policy.answer_timeout_s)
    if answer.status != 200:
        raise HubError(say("hub.preview_status", status=answer.status))
    return _small_jpeg(content, side_px)


def _small_jpeg(content: bytes, side_px: int) -> bytes:
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_PICTURE_PIXELS:
                raise Image.DecompressionBombError("more pixels than are shown")
            small = ImageOps.exif_transpose(picture).convert("RGB")
    except Image.DecompressionBombError as error:
        raise HubError(say("hub.preview_large", most=MAX_PICTURE_PIXELS)) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise HubError(say("hub.preview_no_picture")) from error
    small.thumbnail((side_px, side_px))
    stream = BytesIO()
    small.save(stream, "JPEG", quality=85)
    return stream.getvalue()
