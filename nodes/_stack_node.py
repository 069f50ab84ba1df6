"""What the LoRA Stack node does with its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.lora.contents import content_id
from . import _host as host
from ._stack_rows import Rows, parse_rows, with_old
from ._stack_text import rows_of_text, text_of_rows


def check(value: str | None) -> None:
    """Refuse before the run what cannot work.

    Raises:
        BadInputError: the value cannot be read, or files are missing.
    """
    if value is not None:
        parse_rows(value).present()


def read(value: str, text: str, old: Mapping[str, Any]) -> Rows:
    """Every row: of an old workflow, of the node, and of the text, in this order.

    Raises:
        BadInputError: something cannot be read, or a file is missing.
    """
    rows = with_old(parse_rows(value), old)
    return Rows((*rows.rows, *rows_of_text(text or "")), rows.missing)


def as_text(rows: Rows) -> str:
    return text_of_rows(rows.present())


def fingerprint(value: str | None, others: Mapping[str, Any]) -> str:
    """Changes when the outputs do: with what the rows say, and with the files' content.

    What only the editor cares about (ids, locks, rows that are off) changes nothing.
    """
    plain = {name: said for name, said in others.items() if isinstance(said, str | int | float)}
    try:
        used = parse_rows(value or "").present()
    except BadInputError as error:
        return str(error)
    said = [{**row.to_json(), "id": "", "locked": False, "file": _content(row.lora)} for row in used]
    return json.dumps([said, plain], sort_keys=True)


def _content(name: str) -> str:
    try:
        return content_id(host.lora_path(name))
    except BadInputError:
        return ""
