"""What a row shows of its LoRA: base family, size, trigger words, blocks, and a picture. No network."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.families.header import Header
from ..lora_train.hub import loose
from ..lora_train.lora.blocks import KNOWN
from ..lora_train.lora.derive import trigger_words
from ..lora_train.lora.kinds import family_of, kinds_of
from ..lora_train.lora.places import block_of, block_order
from ..lora_train.lora.reader import header_of, places_of, read_layers
from ..lora_train.lora.recommend import recommended_strength
from . import _host as host

MAX_SIDECAR_BYTES = 4 << 20
MAX_PICTURE_BYTES = 32 << 20
PICTURE_SIDE_PX = 192
_TITLES = {
    "sd15": "SD 1.5", "sd2": "SD 2", "sdxl": "SDXL", "sd3": "SD 3", "flux": "Flux", "flux2": "Flux 2",
    "qwen-image": "Qwen-Image", "z-image": "Z-Image", "wan": "Wan", "anima": "Anima", "starter": "Starter",
}  # fmt: skip
_KINDS = {"lora": "LoRA", "dora": "DoRA", "loha": "LoHa", "lokr": "LoKr", "diff": "full differences", "oft": "OFT"}
_PICTURES = (".preview.png", ".preview.jpg", ".preview.jpeg", ".preview.webp", ".png", ".jpg", ".jpeg", ".webp")


def listed() -> list[str]:
    """Every LoRA that can be chosen, folder by folder."""
    names = [name for name in host.lora_names() if name.lower().endswith(".safetensors")]
    return sorted(names, key=lambda name: (name.replace("\\", "/").count("/") == 0, name.lower()))


def describe(name: str) -> dict[str, Any]:
    """Everything a row shows. A file that is missing or unreadable says so in ``problem``."""
    try:
        path = host.lora_path(name)
    except BadInputError as error:
        return {"missing": True, "problem": str(error), "near": host.near_loras(name)}
    try:
        state = path.stat()
        return dict(_describe(path, state.st_size, state.st_mtime_ns))
    except (BadInputError, OSError) as error:
        return {"problem": str(error)}


@lru_cache(maxsize=4096)
def _describe(path: Path, size_bytes: int, changed_ns: int) -> Mapping[str, Any]:
    header = header_of(path)
    family, kinds = family_of(header), kinds_of(header)
    kind = max(kinds, key=lambda k: kinds[k], default="unknown")
    words, preferred = _words(path, header)
    return {
        "family": family,
        "base": _TITLES.get(family, ""),
        "kind": _KINDS.get(kind, kind),
        "compared": bool(kinds.keys() & {"lora", "dora"}),
        "size": f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e7 else f"{size_bytes / 1e6:.1f} MB",
        "words": words,
        "preferred": preferred,
        "picture": changed_ns if _find_picture(path) or _embedded(header) else 0,
        "blocks": _blocks(path, header, family),
        "presets": sorted(KNOWN.get(family, ())),
    }


def _blocks(path: Path, header: Header, family: str) -> list[str]:
    places = places_of(path, read_layers(header, partly=True), family)
    return sorted({block_of(place) for place in places}, key=block_order)


# -- words and numbers that other tools left beside the file ------------------------------------------


def _words(path: Path, header: Header) -> tuple[list[str], float | None]:
    """Trigger words, the most reliable source first, and the strength that its page recommends."""
    beside = _json(path.with_suffix(".json"))  # ours, and A1111's own
    civitai = _json(path.with_suffix(".civitai.info"))
    manager = loose.mapping(_json(path.with_suffix(".metadata.json")).get("civitai"))
    sources = (
        loose.texts(loose.mapping(beside.get("lorasmith")).get("triggers")),
        tuple(trigger_words(header.metadata)),
        loose.texts(beside.get("activation text")),
        loose.texts(civitai.get("trainedWords")),
        loose.texts(manager.get("trainedWords")),
    )
    strength = recommended_strength(header.metadata) or _strength(beside.get("preferred weight"))
    return list(next((found for found in sources if found), ()))[:24], strength


def _strength(said: object) -> float | None:
    """A usable strength, else None; A1111 writes 0 where nothing was recommended."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if 0 < abs(said) <= 4 else None


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_SIDECAR_BYTES:
            return {}
        return loose.mapping(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):  # none there, or not in a form that is known
        return {}


# -- pictures -----------------------------------------------------------------------------------------


def picture(name: str) -> bytes | None:
    """A small JPEG of what the LoRA makes: a picture beside the file, or inside it; None without one.

    Raises:
        BadInputError: there is no such LoRA.
    """
    path = host.lora_path(name)
    state = path.stat()
    return _picture(path, state.st_mtime_ns)


@lru_cache(maxsize=512)
def _picture(path: Path, changed_ns: int) -> bytes | None:
    from PIL import Image, UnidentifiedImageError

    beside = _find_picture(path)
    try:
        content = beside.read_bytes() if beside else _embedded(header_of(path))
        if not content:
            return None
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as opened:
            opened.draft("RGB", (PICTURE_SIDE_PX, PICTURE_SIDE_PX))
            small = opened.convert("RGB")
            small.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, BadInputError, SyntaxError):
        return None
    result = io.BytesIO()
    small.save(result, "JPEG", quality=85)
    return result.getvalue()


def _find_picture(path: Path) -> Path | None:
    for end in _PICTURES:
        found = path.with_name(path.stem + end)
        if found.is_file() and found.stat().st_size <= MAX_PICTURE_BYTES:
            return found
    return None


def _embedded(header: Header) -> bytes | None:
    """The cover that trainers and managers put into the file: a data URL, or a list of base64 texts."""
    said = header.metadata.get("modelspec.thumbnail", "")
    if not said:
        try:
            covers = json.loads(header.metadata.get("ssmd_cover_images") or "[]")
        except ValueError:
            covers = []
        said = covers[0] if isinstance(covers, list) and covers and isinstance(covers[0], str) else ""
    try:
        return base64.b64decode(said.partition(",")[2] if said.startswith("data:image/") else said, validate=True)
    except (binascii.Error, ValueError):
        return None
