"""Badges for the rows: does a LoRA fit the base, how loud is it, whom does it meet; and strengths that fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.families.header import read_header
from ..lora_train.lora.balance import Conflicts
from ..lora_train.lora.balance import check as balance
from ..lora_train.lora.base_weights import base_weights, matched
from ..lora_train.lora.gram import Grams
from ..lora_train.lora.kinds import family_of
from ..lora_train.lora.reader import header_of, places_of, read_layers
from ..lora_train.say import say
from . import _host as host
from . import _stack_info
from ._bases import STARTER, base_file
from ._stack_rows import Row

_grams = Grams()
_kept: dict[tuple[Any, ...], Conflicts] = {}
_lock = Lock()
_KEPT_STACKS = 16
MIN_FIT = 0.5
WHOLE_FIT = 0.995
"""Shares of a LoRA's layers that a base has: below the first it is for another base, from the second on it is
for this one whatever its family is called."""


def check_rows(rows: Sequence[Row], base: str) -> dict[str, Any]:
    """What is found about the rows, by their ids.

    Only LoRAs for one base model can be compared: those that fit ``base``, else those of the family that
    most rows have. The others are told so.

    Args:
        base: the checkpoint's name where the editor knows it, else empty: then nothing is said of its layers.

    Returns:
        ``problem`` where there can be no comparison: a file holds NaN, or layers differ in size.
    """
    known = [row for row in rows if _is_compared(row)]
    fits = {row.id: share for row in known if (share := _matched(row, base)) is not None}
    here, others = _of_one_family(known, fits)
    answer: dict[str, Any] = {"fits": fits, "rows": {}, "findings": [], "suggested": {}, "verdict": "", "problem": ""}
    if here:
        locked = [number for number, row in enumerate(here) if row.locked]
        strengths = [row.model for row in here], [row.text_strength for row in here]
        try:
            answer |= _answer(here, _conflicts(here).at(*strengths, locked, [row.blocks for row in here]))
        except BadInputError as error:
            answer["problem"] = str(error)
    if others and here:
        answer["findings"] = [_other_family(row, here[0]) for row in others] + answer["findings"]
        answer["verdict"] = "cannot work"
    return answer


def _of_one_family(rows: Sequence[Row], fits: Mapping[str, float]) -> tuple[list[Row], list[Row]]:
    families = {row.id: str(_stack_info.describe(row.lora)["family"]) for row in rows}
    fitting = [row for row in rows if fits.get(row.id, 1.0) >= MIN_FIT]
    counts = Counter(families[row.id] for row in fitting if families[row.id] != "unknown")
    usual = counts.most_common(1)[0][0] if counts else "unknown"
    here = [row for row in fitting if fits.get(row.id, 0.0) >= WHOLE_FIT or families[row.id] in (usual, "unknown")]
    return here, [row for row in rows if row not in here]


def _other_family(row: Row, other: Row) -> dict[str, Any]:
    mine, theirs = (_stack_info.describe(r.lora)["base"] or say("node.another_base") for r in (row, other))
    text = say("node.other_family", mine=mine, theirs=theirs) if mine != theirs else say("node.hardly_fits")
    return {"code": "family", "rows": [row.id], "text": text, "verdict": "cannot work"}


def _is_compared(row: Row) -> bool:
    return bool(_stack_info.describe(row.lora).get("compared"))


def _conflicts(rows: Sequence[Row]) -> Conflicts:
    """The comparison of these files in this order; at other strengths it is only asked again."""
    paths = [host.lora_path(row.lora) for row in rows]
    key = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    with _lock:
        if key not in _kept:
            while len(_kept) >= _KEPT_STACKS:
                _kept.pop(next(iter(_kept)))
            _kept[key] = balance(paths, [1.0] * len(paths), grams=_grams)
        return _kept[key]


def _answer(rows: Sequence[Row], found: Conflicts) -> dict[str, Any]:
    ids = [row.id for row in rows]
    loudest = max(found.loudness.values(), default=0.0) or 1.0
    return {
        "rows": {
            row_id: {"loudness": loudness / loudest}
            for row_id, loudness in zip(ids, found.loudness.values(), strict=True)
        },
        "pairs": [
            {"a": ids[i], "b": ids[j], "cosine": round(pair.cosine, 3), "overlap": round(pair.overlap, 3)}
            for (i, j), pair in zip(_pairs(len(ids)), found.pairs, strict=True)
        ],
        "findings": [
            {"code": item.code, "rows": [ids[n] for n in item.rows], "text": item.text, "verdict": item.verdict}
            for item in found.findings
        ],
        "verdict": found.verdict,
        "energy": {"total": found.cap.energy, "budget": found.cap.budget},
        "suggested": dict(zip(ids, found.suggested.values(), strict=True)),
    }


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


# -- the base -----------------------------------------------------------------------------------------


def _matched(row: Row, base: str) -> float | None:
    """Share of a LoRA's layers that the base has in the same size; None where the base is not known."""
    try:
        path = host.lora_path(row.lora)
        weights = base_file(base) if base == STARTER else host.checkpoint_path(base) if base else None
        if weights is None:
            return None
        return round(_share(weights, weights.stat().st_mtime_ns, path, path.stat().st_mtime_ns), 4)
    except BadInputError:
        return None


@lru_cache(maxsize=1024)
def _share(base: Path, base_changed_ns: int, lora: Path, changed_ns: int) -> float:
    header = header_of(lora)
    places = places_of(lora, read_layers(header, partly=True), family_of(header))
    sizes = {place: (entry.inputs, entry.outputs) for place, entry in places.items()}
    return matched(_weights(base, base_changed_ns), sizes)


@lru_cache(maxsize=4)
def _weights(base: Path, changed_ns: int) -> Any:
    return base_weights(read_header(base))
