"""What the LoRA Stack node asks its own server: LoRAs, pictures, conflicts, presets. Nothing leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from . import _http, _stack_check, _stack_info, _stack_presets
from ._stack_rows import parse_rows
from ._stack_text import rows_of_text, text_of_rows

MAX_NAMES = 400
PICTURE = "/lorasmith/stack/picture"


def register() -> None:
    """Make the addresses known, once, while ComfyUI loads the pack."""
    _http.register(
        {
            "/lorasmith/stack/list": listed,
            "/lorasmith/stack/info": info,
            "/lorasmith/stack/check": check,
            "/lorasmith/stack/from_text": from_text,
            "/lorasmith/stack/to_text": to_text,
            "/lorasmith/stack/presets": presets,
        }
    )
    host.add_route("GET", PICTURE, _answer_picture)


def listed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The names of all LoRAs, and of the saved stacks."""
    return {"loras": _stack_info.listed(), "presets": _stack_presets.names()}


def info(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of some LoRAs, by name."""
    names = asked.get("names")
    if not isinstance(names, list) or len(names) > MAX_NAMES or not all(isinstance(name, str) for name in names):
        raise BadInputError(say("node.names_list", most=MAX_NAMES))
    return {name: _stack_info.describe(name) for name in dict.fromkeys(names)}


def check(asked: Mapping[str, Any]) -> dict[str, Any]:
    """How the rows get along; see :mod:`._stack_check`."""
    rows = parse_rows(_text(asked, "rows"))
    return _stack_check.check_rows(rows.used, _text(asked, "base"))


def from_text(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Rows from ``<lora:name:0.8>`` tags."""
    rows = rows_of_text(_text(asked, "text"))
    if not rows:
        raise BadInputError(say("node.no_lora_tag"))
    return {"rows": [row.to_json() for row in rows]}


def to_text(asked: Mapping[str, Any]) -> dict[str, Any]:
    """``<lora:name:0.8>`` tags of the rows that are on."""
    return {"text": text_of_rows(parse_rows(_text(asked, "rows")).rows)}


def presets(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Save, load or delete a named stack; the answer holds the names there are then."""
    action, name = _text(asked, "action"), _text(asked, "name")
    answer: dict[str, Any] = {}
    if action == "save":
        _stack_presets.save(name, _text(asked, "rows"), asked.get("replace") is True)
    elif action == "load":
        answer = _stack_presets.load(name)
    elif action == "delete":
        _stack_presets.delete(name)
    else:
        raise BadInputError(say("node.no_action", action=action[:40]))
    return answer | {"presets": _stack_presets.names()}


def _text(asked: Mapping[str, Any], key: str) -> str:
    value = asked.get(key, "")
    if not isinstance(value, str):
        raise BadInputError(say("node.must_be_text", name=key))
    return value


async def _answer_picture(request: Any) -> Any:
    import asyncio

    from aiohttp import web

    try:
        content = await asyncio.to_thread(_stack_info.picture, request.query.get("name", ""))
    except BadInputError:
        content = None
    if content is None:
        return web.Response(status=404)
    return web.Response(body=content, content_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})
