"""``<lora:name:0.8>``, as A1111, Forge and LoRA managers write it, into rows and back."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from ..lora_train.errors import BadInputError
from ..lora_train.lora.stack import MAX_STRENGTH
from ..lora_train.say import say
from . import _host as host
from ._stack_rows import Row

_TAG = re.compile(r"<lora:([^<>]+)>", re.IGNORECASE)
_NAMED = {"te": "text", "unet": "model"}


def rows_of_text(text: str, names: Sequence[str] | None = None) -> list[Row]:
    """The LoRAs that a prompt names; whatever else is in it is left aside.

    ``<lora:name:model>``, A1111's ``<lora:name:unet=0.8:te=0.5>``, and ``<lora:name:model:text>`` as other
    ComfyUI packs read two plain numbers.

    Raises:
        BadInputError: lists every name that is not here or fits several files, and every bad number.
    """
    names = host.lora_names() if names is None else names
    rows: list[Row] = []
    problems: list[str] = []
    for number, found in enumerate(_TAG.finditer(text), start=1):
        try:
            rows.append(_row(f"text{number}", found[1], names))
        except BadInputError as error:
            problems.append(f"{found[0]}: {error}")
    BadInputError.collect(problems)
    return rows


def _row(row_id: str, tag: str, names: Sequence[str]) -> Row:
    name, *rest = tag.split(":")
    numbers: dict[str, float] = {}
    for place, said in enumerate(rest):
        key, _, value = said.rpartition("=")
        key = _NAMED.get(key.strip().lower(), key) if key else ("model", "text")[place] if place < 2 else "other"
        if key in ("model", "text"):
            numbers[key] = _number(value)
    return Row(row_id, find_name(name.strip(), names), model=numbers.get("model", 1.0), text=numbers.get("text"))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_STRENGTH:
        raise BadInputError(say("node.no_strength", text=text, most=MAX_STRENGTH))
    return value


def find_name(said: str, names: Sequence[str]) -> str:
    """The LoRA in ComfyUI's lists that a text means: by its whole name, else by the file's name alone.

    Raises:
        BadInputError: none, or more than one; never just a similar one.
    """
    wanted = said.replace("\\", "/").lower()
    plain = {name: name.replace("\\", "/").lower() for name in names}
    for form in (lambda p: p, lambda p: str(PurePosixPath(p).with_suffix("")), lambda p: PurePosixPath(p).stem):
        found = [name for name, path in plain.items() if form(path) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInputError(say("node.called_so", n=len(found), names=[*found[:4]]))
    stems = {PurePosixPath(path).stem: name for name, path in plain.items()}
    near = difflib.get_close_matches(PurePosixPath(wanted).stem, stems, n=3, cutoff=0.5)
    if not near:
        raise BadInputError(say("node.no_lora", name=said))
    raise BadInputError(say("node.no_lora_near", name=said, near=[repr(stems[stem]) for stem in near]))


def text_of_rows(rows: Iterable[Row], names: Sequence[str] | None = None) -> str:
    """The rows as tags; the folder is written only where the file's name alone would not do."""
    names = host.lora_names() if names is None else names
    stems = [PurePosixPath(name.replace("\\", "/")).stem.lower() for name in names]
    return " ".join(_tag(row, stems) for row in rows if row.is_used)


def _tag(row: Row, stems: Sequence[str]) -> str:
    path = PurePosixPath(row.lora.replace("\\", "/"))
    name = path.stem if stems.count(path.stem.lower()) < 2 else str(path.with_suffix(""))
    if row.text_strength == row.model:
        return f"<lora:{name}:{row.model:g}>"
    return f"<lora:{name}:unet={row.model:g}:te={row.text_strength:g}>"
