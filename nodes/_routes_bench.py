"""What the test bench asks its own server: buttons that somebody pressed. Nothing leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from . import _http


def register() -> None:
    """Make the addresses known, once, while ComfyUI loads the pack."""
    _http.register({"/lorasmith/bench/recommend": recommend})


def recommend(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Write a strength into the metadata of a LoRA of ComfyUI's lists: ``{"lora", "strength", "text"}``."""
    from ..lora_train.lora.recommend import recommend as write

    name, strength = asked.get("lora"), asked.get("strength")
    if not isinstance(name, str) or isinstance(strength, bool) or not isinstance(strength, int | float):
        raise BadInputError(say("node.lora_and_strength"))
    path = write(host.lora_path(name), float(strength))
    host.send("lora_saved", name=name)
    return {"lora": name, "strength": strength, "text": say("node.now_recommends", name=path.name, strength=strength)}
