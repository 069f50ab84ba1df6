"""The workbench nodes in a running ComfyUI, and core's own arithmetic as the reference."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from harness.comfyui import Installation, Server
from harness.graphs import node
from made_loras import SDXL, deltas, distance, make
from safetensors.torch import load_file
from tiny_models import random_unet, write_checkpoint
from trained_loras import trained

from lora_train.families.header import read_header
from lora_train.lora.convert import convert
from lora_train.lora.kinds import family_of
from lora_train.lora.places import FORMS, place_of

pytestmark = pytest.mark.comfy
SCRIPT = Path(__file__).with_name("deltas_in_comfyui.py")


def of_core(comfyui: Installation, path: Path) -> dict[str, torch.Tensor]:
    """What ComfyUI's own code adds to each layer, by the file's names."""
    out = path.with_suffix(".core.safetensors")
    done = subprocess.run(
        [str(comfyui.python), str(SCRIPT), str(comfyui.root), str(path), str(out)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(out)


@pytest.mark.parametrize("alpha", [None, 3.0])
@pytest.mark.parametrize("form", FORMS)
def test_core_reads_the_same_changes_out_of_every_form(
    comfyui: Installation, tmp_path: Path, form: Any, alpha: float | None
) -> None:
    only = {p: s for p, s in SDXL.items() if p.startswith("unet")} if form == "peft" else SDXL
    path = make(tmp_path / "a.safetensors", form=form, alpha=alpha, layers=only)
    core = {place_of(layer, "sdxl"): m.double() for layer, m in of_core(comfyui, path).items()}
    assert set(core) == set(deltas(path))
    assert distance(deltas(path), core) < 1e-5


@pytest.fixture(scope="module")
def trained_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA that the trainer made, for the SD 1.5 family."""
    return trained(tmp_path_factory.mktemp("trained"))[0]


@pytest.mark.parametrize("form", FORMS)
def test_core_reads_a_trained_file_out_of_every_form(
    comfyui: Installation, trained_file: Path, tmp_path: Path, form: Any
) -> None:
    path = trained_file
    if form != "kohya":
        path = convert(trained_file, tmp_path / f"{form}.safetensors", form).path
    family = family_of(read_header(path))
    core = {place_of(layer, family): m.double() for layer, m in of_core(comfyui, path).items()}
    assert set(core) == set(deltas(path))
    assert distance(deltas(trained_file), core) < 1e-5


@pytest.fixture(scope="module")
def stocked(server: Server) -> Server:
    """Two small LoRAs and two checkpoints in the server's folders."""
    folder = server.base / "models"
    make(folder / "loras" / "wb" / "anna.safetensors", 1, metadata={"modelspec.trigger_phrase": "ohwx"})
    make(folder / "loras" / "wb" / "oil.safetensors", 2, 3, form="diffusers")
    unet = random_unet()
    write_checkpoint(folder / "checkpoints" / "wb_base.safetensors", unet=unet)
    with torch.no_grad():
        unet.get_submodule("mid_block" if unet.mid_block else "conv_in").weight.mul_(1.1)
    write_checkpoint(folder / "checkpoints" / "wb_tuned.safetensors", unet=unet)
    return server


def stack(*rows: tuple[str, float]) -> dict[str, Any]:
    """Fetch-free stack: chained single rows of the pack's own Inspect-able files."""
    graph: dict[str, Any] = {}
    for number, (name, strength) in enumerate(rows):
        before = {"lora_stack": [f"row{number - 1}", 0]} if number else {}
        graph[f"row{number}"] = node(
            "Lorasmith_LoraStack", lora_name=name, model_strength=strength, clip_strength=strength, **before
        )
    return graph


def said(outputs: dict[str, Any], at: str) -> dict[str, Any]:
    return outputs[at]["lorasmith"][0]


def test_resize_convert_and_inspect(stocked: Server) -> None:
    outputs = stocked.run({
        "small": node("Lorasmith_ResizeLora", lora_name="wb/anna.safetensors", name="wb/small", by="rank", rank=2,
                      energy=0.9, size_mb=1.0, precision="same as the input"),
        "named": node("Lorasmith_ConvertLora", lora_name="wb/anna.safetensors", name="wb/core", form="core"),
        "what": node("Lorasmith_InspectLora", lora_name="wb/anna.safetensors", hashes=True),
    })  # fmt: skip
    assert said(outputs, "small")["title"].startswith("Rank 4 → 2")
    assert "AutoV3" in said(outputs, "what")["text"] and "sdxl" in said(outputs, "what")["title"]
    made = stocked.base / "output" / "loras" / "wb"
    anna = stocked.base / "models" / "loras" / "wb" / "anna.safetensors"
    assert distance(deltas(anna), deltas(made / "core.safetensors")) < 1e-6
    assert (made / "small.safetensors").stat().st_size < anna.stat().st_size


def test_extract(stocked: Server) -> None:
    outputs = stocked.run({"x": node("Lorasmith_ExtractLora", base="wb_base.safetensors", tuned="wb_tuned.safetensors",
                                     name="wb/difference", rank=8, text_encoder=False)})  # fmt: skip
    assert "1 layers differ" in said(outputs, "x")["text"]


def test_a_name_that_leaves_the_folder_is_refused_before_the_run(stocked: Server) -> None:
    prompt = {"c": node("Lorasmith_ConvertLora", lora_name="wb/anna.safetensors", name="../x", form="core")}
    errors = stocked.post("/prompt", {"prompt": prompt})["node_errors"]["c"]["errors"]
    assert "does not stay inside" in json.dumps(errors)


LONG = "я" * 60 + "長" * 30  # 210 bytes: a little less than file systems allow


def test_a_thousand_files_and_strange_names(stocked: Server) -> None:
    folder = stocked.base / "models" / "loras" / "many"
    first = make(folder / "0.safetensors", 3)
    names = [f"{n}.safetensors" for n in range(1, 1000)] + ["Анна (фото) 日本 ✨ & 'x'.safetensors"]
    for name in [*names, f"{LONG}.safetensors"]:
        (folder / name).hardlink_to(first)
    (folder / "broken.safetensors").write_bytes(b"")
    listed = stocked.post("/lorasmith/stack/list", {})["loras"]
    mine = [name for name in listed if name.startswith("many/")]
    assert len(mine) == 1003
    told = {
        n: d
        for k in range(0, 1003, 300)
        for n, d in stocked.post("/lorasmith/stack/info", {"names": mine[k : k + 300]}).items()
    }
    assert [n for n, d in told.items() if d.get("problem")] == ["many/broken.safetensors"]
    outputs = stocked.run({
        f"what{n}": node("Lorasmith_InspectLora", lora_name=f"many/{name}", hashes=False)
        for n, name in enumerate((names[-1], f"{LONG}.safetensors"))
    })  # fmt: skip
    assert "sdxl" in said(outputs, "what0")["title"] and "sdxl" in said(outputs, "what1")["title"]


def test_merge_and_check_of_a_stack(stocked: Server) -> None:
    graph = stack(("wb/anna.safetensors", 0.8), ("wb/oil.safetensors", 0.5))
    last = ["row1", 0]
    outputs = stocked.run(graph | {
        "merge": node("Lorasmith_MergeLoras", lora_stack=last, name="wb/both", rank=0, method="sum", precision="fp32"),
        "check": node("Lorasmith_CheckLoraConflicts", lora_stack=last, checkpoint="None", lock_first=True),
    })  # fmt: skip
    assert said(outputs, "merge")["title"] == "2 LoRAs merged"
    assert said(outputs, "check")["title"].startswith("Verdict: ") and outputs["check"]["images"]
    folder = stocked.base / "models" / "loras" / "wb"
    total = {p: 0.8 * m for p, m in deltas(folder / "anna.safetensors").items()}
    for place, delta in deltas(folder / "oil.safetensors").items():
        total[place] = total[place] + 0.5 * delta
    assert distance(total, deltas(stocked.base / "output" / "loras" / "wb" / "both.safetensors")) < 1e-6
