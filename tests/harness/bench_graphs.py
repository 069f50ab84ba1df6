"""Graphs of the test bench in API format, and what comes out of them."""

from __future__ import annotations

import json
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


def write_lora(server: Server, name: str, steps: int = 12) -> str:
    """A small random LoRA for the starter in ComfyUI's list, with the files of a training run beside it."""
    import torch
    from safetensors.torch import save_file

    from lora_train.training.plan import TrainPlan

    random = torch.Generator().manual_seed(3)
    tensors: dict[str, Any] = {}
    for part in ("to_q", "to_k", "to_v", "to_out_0"):
        layer = f"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_{part}"
        tensors[f"{layer}.lora_down.weight"] = torch.randn(4, 320, generator=random) * 0.05
        tensors[f"{layer}.lora_up.weight"] = torch.randn(320, 4, generator=random) * 0.05
        tensors[f"{layer}.alpha"] = torch.tensor(4.0)
    folder = server.base / "output" / "loras"
    (folder / f"{name}.run").mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / f"{name}.safetensors", {"modelspec.trigger_phrase": "ohwx"})
    plan = TrainPlan(
        family="starter", steps=steps, why="written for a test", rank=4, alpha=4.0, learning_rate=5e-4,
        resolution_px=96, batch_size=4, warmup_steps=0, schedule="constant", min_snr_gamma=None, noise_offset=0.0,
        caption_dropout=0.0, weight_decay=0.01, seed=0, sample_every=0,
    )  # fmt: skip
    run = {
        "kind": "lorasmith.run", "version": 1, "plan": plan.to_json(), "steps": steps, "loss_first": 0.2,
        "loss_last": 0.2, "trigger": "ohwx", "stopped_by": "planned_end", "dataset": {"pictures": 20},
    }  # fmt: skip
    (folder / f"{name}.run" / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return f"{name}.safetensors"
