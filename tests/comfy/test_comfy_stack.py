"""A stack on a model gives the weights of a chain of ComfyUI's own LoRA loaders, in one patch per weight."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from harness.comfyui import PACK, Installation
from safetensors.torch import save_file
from tiny_models import REAL_CLIP, random_clip, write_checkpoint

pytestmark = pytest.mark.comfy
SCRIPT = Path(__file__).with_name("stack_in_comfyui.py")
SELF = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
CROSS = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
UP = "up_blocks_0_attentions_0_transformer_blocks_0_attn1_to_v"
CONV = "down_blocks_0_resnets_0_conv1"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"
SIZES = {f"lora_unet_{SELF}": (320, 320), f"lora_unet_{CROSS}": (320, 768), f"lora_unet_{UP}": (320, 320),
         f"lora_unet_{CONV}": (320, 320, 3, 3), TEXT: (3072, 768)}  # fmt: skip
Tensors = dict[str, torch.Tensor]


def noise(seed: int) -> Callable[..., torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator) * shape[-1] ** -0.5 * 0.3


def plain(seed: int, rank: int = 4, alpha: float | None = 2.0, dtype: torch.dtype = torch.float32) -> Tensors:
    make, tensors = noise(seed), {}
    for name, (out, inputs, *kernel) in SIZES.items():
        tensors[f"{name}.lora_down.weight"] = make(rank, inputs, *kernel).to(dtype)
        tensors[f"{name}.lora_up.weight"] = make(out, rank, *([1] * len(kernel))).to(dtype)
        if alpha is not None:
            tensors[f"{name}.alpha"] = torch.tensor(alpha)
    return tensors


def loha(seed: int) -> Tensors:
    make, name = noise(seed), f"lora_unet_{SELF}"
    parts = {f"{name}.hada_w{n}_{side}": make(*shape) * 4
             for n in (1, 2) for side, shape in (("a", (320, 4)), ("b", (4, 320)))}  # fmt: skip
    return parts | {f"{name}.alpha": torch.tensor(4.0)}


def lokr(seed: int) -> Tensors:
    make, name = noise(seed), f"lora_unet_{CROSS}"
    return {f"{name}.lokr_w1": make(8, 8), f"{name}.lokr_w2": make(40, 96)}


def dora(seed: int) -> Tensors:
    tensors = {n: v for n, v in plain(seed).items() if SELF in n or CROSS in n}
    return tensors | {f"lora_unet_{SELF}.dora_scale": torch.rand(320, 1) + 0.5}


def full(seed: int) -> Tensors:
    make = noise(seed)
    return {f"lora_unet_{UP}.diff": make(320, 320), f"lora_unet_{CONV}.diff_b": make(320)}


def other_family() -> Tensors:
    tensors = {}
    for name, value in plain(9).items():
        wide = value.repeat(1, 2) if name == f"lora_unet_{CROSS}.lora_down.weight" else value
        tensors[name.replace("down_blocks_0", "down_blocks_7").replace("up_blocks_0", "up_blocks_7")] = wide
    return {n: v for n, v in tensors.items() if not n.startswith("lora_te")}


def wrong_size() -> Tensors:
    name = f"lora_unet_{SELF}"
    return {f"{name}.lora_down.weight": torch.zeros(4, 640), f"{name}.lora_up.weight": torch.zeros(640, 4)}


CASES: dict[str, Any] = {
    "one": {"rows": [["a", 0.8, 0.6]]},
    "five": {"rows": [["a", 0.8, 0.6], ["b", -0.4, 0.3], ["c", 1.3, 1.0], ["d", 0.5, 0.0], ["half", 0.7, 0.7]]},
    "text alone": {"rows": [["a", 0.0, 0.6], ["b", 0.0, 0.5]]},
    "times": {"rows": [["a", 0.8, 0.6], ["b", 0.4, 0.3]], "strength": 0.5,
              "chain": [["a", 0.4, 0.3], ["b", 0.2, 0.15]]},
    "off": {"rows": [["a", 0.8, 0.8], ["b", 0.0, 0.0]], "chain": [["a", 0.8, 0.8]]},
    "twice": {"rows": [["a", 0.5, 0.5], ["copy of a", 0.3, 0.3]], "chain": [["a", 0.8, 0.8]]},
    "undone": {"rows": [["a", 0.5, 0.5], ["b", 0.7, 0.7], ["a", -0.5, -0.5]], "chain": [["b", 0.7, 0.7]]},
    "kinds": {"rows": [["a", 0.8, 0.6], ["loha", 0.7, 0.7], ["b", 0.5, 0.5], ["lokr", 0.9, 0.9], ["full", 0.6, 0.6]]},
    "dora between": {"rows": [["a", 0.8, 0.6], ["b", 0.5, 0.5], ["dora", 0.9, 0.9], ["c", 0.7, 0.7], ["d", 0.4, 0.4]]},
    "dora first": {"rows": [["dora", 0.9, 0.9], ["a", 0.8, 0.6], ["b", 0.5, 0.5]]},
    "blocks": {
        "rows": [["a", 0.8, 0.6, {"input_blocks.1": 0.0, "te1.0": 0.5}]],
        "chain": [["a without input 1", 0.8, 0.3]],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    base = tmp_path_factory.mktemp("stack")
    files = {
        "a": plain(1), "b": plain(2, 8, 8.0), "c": plain(3, 2, None), "d": plain(4, 16, 1.0),
        "half": plain(5, 4, 4.0, torch.float16), "copy of a": plain(1), "loha": loha(6), "lokr": lokr(7),
        "dora": dora(8), "full": full(9), "other": other_family(), "wrong size": wrong_size(),
        "a without input 1": {n: v for n, v in plain(1).items() if "down_blocks_0" not in n},
        "nan": plain(1) | {f"lora_unet_{UP}.lora_up.weight": torch.full((320, 4), float("nan"))},
    }  # fmt: skip
    folder = base / "models" / "loras"
    folder.mkdir(parents=True)
    for name, tensors in files.items():
        save_file({n: v.contiguous() for n, v in tensors.items()}, folder / f"{name}.safetensors")
    whole = (folder / "a.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[:-100])
    (folder / "pickle.safetensors").write_bytes(b"\x80\x02}q\x00." + whole)
    write_checkpoint(base / "base.safetensors", clip=random_clip(**REAL_CLIP), half=True)
    cases = json.loads(json.dumps(CASES))
    for case in cases.values():
        for rows in (case["rows"], case.get("chain", [])):
            for row in rows:
                row[0] += ".safetensors"
    bad = ("other", "wrong size", "nan", "cut", "pickle", "aa")
    refused = {name: [["a.safetensors", 0.5, 0.5], [f"{name}.safetensors", 1.0, 1.0]] for name in bad}
    refused["strength"] = [["a.safetensors", float(10**6), 1.0]]
    said = {"checkpoint": "base.safetensors", "cases": cases, "refused": refused}
    (base / "cases.json").write_text(json.dumps(said), encoding="utf-8")
    done = subprocess.run(
        [str(comfyui.python), "-B", str(SCRIPT), str(comfyui.root), str(base), str(PACK)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("name", CASES)
def test_the_weights_are_those_of_a_chain_of_loaders(seen: dict[str, Any], name: str) -> None:
    case = seen["cases"][name]
    for part in ("model", "clip"):
        found = case[part]
        assert found["untouched"] and found["weights"] <= found["core_weights"], part
        assert found["relative"] < 1e-5 and found["largest"] < 1e-5, (part, found)
    assert case["model"]["change"] > 0.5 or name == "text alone"
    assert case["same_identity"]


def test_plain_loras_are_one_patch_per_weight(seen: dict[str, Any]) -> None:
    five = seen["cases"]["five"]
    assert five["model"]["core_patches"] == 5 and five["model"]["patches"] == 1 == five["clip"]["patches"]
    assert seen["cases"]["dora between"]["model"]["patches"] == 3
    assert seen["cases"]["text alone"]["model"]["weights"] == 0, "strength 0 adds nothing"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other", "fits this model: the LoRA was made for another family"),
        ("wrong size", "fits this model"),
        ("nan", "'nan.safetensors' holds NaN or infinity"),
        ("cut", "'cut.safetensors' is cut off"),
        ("pickle", "'pickle.safetensors' is"),
        ("aa", "There is no LoRA named 'aa.safetensors'"),
        ("strength", "has strength"),
    ],
)
def test_what_is_refused_in_one_line(seen: dict[str, Any], name: str, words: str) -> None:
    said = seen["refused"][name]
    assert said.startswith("lorasmith.") and words in said and "\n" not in said
