"""Captions that lie beside photos: ``photo.txt``, ``photo.caption``, and rows of ``metadata.jsonl``."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadInputError
from ..say import say

SUFFIXES = (".txt", ".caption")
METADATA = "metadata.jsonl"
"""Hugging Face's image folders: one JSON object a line, with ``file_name`` and a text."""
TEXT_KEYS = ("text", "caption", "prompt")
MAX_CAPTION_BYTES = 16_384
MAX_METADATA_BYTES = 64 * 1024 * 1024
_SHOWN = 3


@dataclass(frozen=True)
class Metadata:
    """What ``metadata.jsonl`` says: captions by file name, and what is wrong with it in sentences."""

    captions: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def sidecar_caption(path: Path) -> str | None:
    """The caption beside a photo, one line, or None. Unreadable bytes become a replacement sign.

    Raises:
        BadInputError: the caption file is there and cannot be opened.
    """
    for suffix in SUFFIXES:
        beside = path.with_suffix(suffix)
        try:
            if not beside.is_file():
                continue
            with open(beside, "rb") as handle:
                text = _decoded(handle.read(MAX_CAPTION_BYTES))
        except OSError as error:
            raise BadInputError(
                say("photos.caption_closed", name=beside.name, reason=error.strerror or error)
            ) from error
        if clean := one_line(text):
            return clean
    return None


def one_line(text: str) -> str:
    """``text`` without line ends, doubled spaces and NULs."""
    return " ".join(text.replace("\x00", "").split())


def read_metadata(folder: Path) -> Metadata:
    """Captions of a folder's ``metadata.jsonl``; empty where there is none. Bad lines are told, not fatal."""
    path = Path(folder) / METADATA
    try:
        if not path.is_file():
            return Metadata()
        if (size := path.stat().st_size) > MAX_METADATA_BYTES:
            said = say("photos.metadata_large", file=METADATA, size=size, most=MAX_METADATA_BYTES)
            return Metadata(problems=(said,))
        lines = _decoded(path.read_bytes()).splitlines()
    except OSError as error:
        return Metadata(problems=(say("photos.metadata_closed", file=METADATA, reason=error.strerror or error),))
    captions: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line)
        if isinstance(row, str):
            problems.append(say("photos.metadata_line", file=METADATA, number=number, why=row))
        else:
            captions[row[0]] = row[1]
    if len(problems) > _SHOWN:
        problems = [*problems[:_SHOWN], say("photos.metadata_lines", file=METADATA, count=len(problems) - _SHOWN)]
    return Metadata(captions, tuple(problems))


def _row(line: str) -> tuple[str, str] | str:
    """File name and caption of a line, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return say("photos.no_json")
    if not isinstance(row, dict) or not isinstance(row.get("file_name"), str):
        return say("photos.no_file_name")
    texts = [row[key] for key in TEXT_KEYS if isinstance(row.get(key), str)]
    if not texts:
        keys = [repr(key) for key in TEXT_KEYS]
        return say("photos.no_text_under", keys=[*keys])
    return row["file_name"].replace("\\", "/").removeprefix("./"), one_line(texts[0])


def _decoded(data: bytes) -> str:
    """UTF-8, or UTF-16 where the file says so (Windows' Notepad)."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")
