"""Graphs of the test bench in API format, and what comes out of them."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import numpy as np
from PIL import Image

from .comfyui import Server
from .graphs import STARTER, node

SETTINGS = {
    "first_seed": 500, "per_prompt": 2, "shapes": "1:1", "side_px": 96, "steps": 4, "cfg": 4.0,
    "sampler_name": "dpmpp_2m", "scheduler": "karras",
}  # fmt: skip
BASE = {"base": node("Lorasmith_LoadBase", checkpoint=STARTER)}
MODELS = {"model": ["base", 0], "clip": ["base", 1], "vae": ["base", 2]}


def suite(name: str = "starter", language: str = "en", **more: Any) -> dict[str, Any]:
    asked = {"trigger": "ohwx", "class_word": "person", "level": "hard"} | more
    return node("Lorasmith_PromptSuite", suite=name, language=language, **asked)


def bench_of(lora: str, name: str, **more: Any) -> dict[str, Any]:
    asked = SETTINGS | MODELS | {"suite": ["suite", 0], "lora_name": lora, "name": name} | more
    return BASE | {"suite": suite(level="simple"), "test": node("Lorasmith_TestLora", **asked)}


def card(server: Server, graph: dict[str, Any], node_id: str = "test") -> tuple[dict[str, Any], dict[str, Any]]:
    """What the report card says, and everything the node sent."""
    output = server.run(graph)[node_id]
    return output["lorasmith"][0], output


def pixels(server: Server, shown: dict[str, str]) -> np.ndarray:
    status, _, body = server.fetch("/view?" + urlencode(shown))
    assert status == 200
    with Image.open(BytesIO(body)) as picture:
        return np.asarray(picture.convert("RGB"), np.int16)
