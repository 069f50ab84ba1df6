"""The rows of a LoRA Stack: one JSON text with stable ids, and what it means.

``{"version": 1, "missing": "refuse", "rows": [{"id", "on", "lora", "model", "text", "blocks", "words", "locked"}]}``
Everything but ``lora`` may be left out; what is not known is ignored, so that older packs read newer rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..lora_train.errors import BadInputError
from ..lora_train.lora.blocks import BlockFactors, parse_blocks
from ..lora_train.lora.stack import MAX_STRENGTH
from ..lora_train.say import say
from . import _host as host
from ._stack_blocks import stack_row
from ._types import StackRow

VERSION = 1
MAX_ROWS = 200
EMPTY = json.dumps({"version": VERSION, "rows": []})
Missing = Literal["refuse", "skip"]


@dataclass(frozen=True)
class Row:
    """One row as the user sees it."""

    id: str
    lora: str
    """The name in ComfyUI's LoRA lists; empty while nothing was chosen."""
    on: bool = True
    model: float = 1.0
    text: float | None = None
    """Strength in the text encoders; None: the same as ``model``."""
    blocks: BlockFactors = BlockFactors()
    words: tuple[str, ...] = ()
    """Trigger words that go to the prompt."""
    locked: bool = False

    @property
    def text_strength(self) -> float:
        return self.model if self.text is None else self.text

    @property
    def is_used(self) -> bool:
        return self.on and bool(self.lora)

    def to_json(self) -> dict[str, Any]:
        blocks = dict(self.blocks.factors) if self.blocks.preset == "custom" else self.blocks.preset
        return {
            "id": self.id, "on": self.on, "lora": self.lora, "model": self.model, "text": self.text,
            "blocks": blocks, "words": list(self.words), "locked": self.locked,
        }  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """A whole stack. ``missing`` says what happens when a file is gone."""

    rows: tuple[Row, ...] = ()
    missing: Missing = "refuse"

    @property
    def used(self) -> tuple[Row, ...]:
        """Rows that are on and name a file."""
        return tuple(row for row in self.rows if row.is_used)

    def present(self) -> tuple[Row, ...]:
        """The used rows whose file is here.

        Raises:
            BadInputError: files are missing and are not to be skipped; each is named, with names close to it.
        """
        found, problems = [], []
        for row in self.used:
            try:
                host.lora_path(row.lora)
            except BadInputError as error:
                problems.append(str(error))
            else:
                found.append(row)
        if self.missing == "refuse":
            BadInputError.collect(problems)
        return tuple(found)

    def stack(self) -> list[StackRow]:
        """The community's list."""
        return [stack_row(row.lora, row.model, row.text_strength, row.blocks) for row in self.present()]

    def words(self) -> str:
        """The trigger words of the used rows, for a prompt."""
        return ", ".join(dict.fromkeys(word for row in self.present() for word in row.words))


def parse_rows(value: str) -> Rows:
    """The rows of a node's value.

    Raises:
        BadInputError: no JSON, or lists everything in it that cannot be meant.
    """
    try:
        said = json.loads(value or EMPTY)
    except (ValueError, RecursionError) as error:
        raise BadInputError(say("node.rows_no_json")) from error
    listed = said.get("rows", []) if isinstance(said, dict) else said
    if not isinstance(listed, list) or len(listed) > MAX_ROWS:
        raise BadInputError(say("node.rows_list", most=MAX_ROWS))
    rows: list[Row] = []
    problems: list[str] = []
    for number, item in enumerate(listed, start=1):
        try:
            rows.append(_row(number, item))
        except BadInputError as error:
            problems.append(say("node.row", number=number, why=error))
    BadInputError.collect(problems)
    skip = isinstance(said, dict) and said.get("missing") == "skip"
    return Rows(tuple(rows), "skip" if skip else "refuse")


def _row(number: int, item: object) -> Row:
    if not isinstance(item, Mapping) or not isinstance(item.get("lora", ""), str):
        raise BadInputError(say("node.no_row_value", value=f"{item!r:.80}"))
    words = item.get("words") or []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadInputError(say("node.words_list", value=f"{words!r:.80}"))
    return Row(
        id=str(item.get("id", number)),
        lora=item.get("lora", ""),
        on=item.get("on", True) is not False,
        model=_strength("model", item.get("model", 1.0)),
        text=None if item.get("text") is None else _strength("text", item["text"]),
        blocks=parse_blocks(item.get("blocks") or "all"),
        words=tuple(word.strip() for word in words if word.strip()),
        locked=item.get("locked") is True,
    )


def _strength(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInputError(say("node.strength_no_number", name=name, value=f"{value!r:.40}"))
    if abs(value) > MAX_STRENGTH:
        raise BadInputError(say("node.strength_range", name=name, value=value, most=MAX_STRENGTH))
    return float(value)


OLD_INPUTS = ("lora_name", "model_strength", "clip_strength")
OLD_ID = "old"


def with_old(rows: Rows, old: Mapping[str, Any]) -> Rows:
    """The rows together with the inputs of a workflow from before there were rows.

    Such a workflow named one LoRA in three inputs. Sent as it is, they are a row; opened in the editor, they
    have become the row with the id ``old``, and what is still linked to an input goes there.

    Raises:
        BadInputError: any other input, which would be ignored in silence.
    """
    if unknown := sorted(set(old) - set(OLD_INPUTS)):
        raise BadInputError(say("node.no_input", names=[repr(name) for name in unknown]))
    if not old:
        return rows
    row = next((row for row in rows.rows if row.id == OLD_ID), Row(OLD_ID, ""))
    name = old.get("lora_name") or row.lora
    changed = replace(
        row,
        lora="" if name == "None" else name,
        model=_strength("model", old.get("model_strength", row.model)),
        text=_strength("text", old.get("clip_strength", row.text_strength)),
    )
    if row in rows.rows:
        return replace(rows, rows=tuple(changed if r is row else r for r in rows.rows))
    return replace(rows, rows=(changed, *rows.rows))
