"""Strength Grid, Check Diversity and Diagnose in a real ComfyUI, and the one button that writes a file."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from harness.bench_graphs import BASE, MODELS, SETTINGS, bench_of, card, pixels, suite, write_lora
from harness.comfyui import Server
from harness.graphs import STARTER, node, photos
from safetensors import safe_open

pytestmark = pytest.mark.comfy
SMALL = SETTINGS | {"steps": 2, "per_prompt": 1}


@pytest.fixture(scope="module")
def lora(server: Server) -> str:
    return write_lora(server, "grid")


def stack_of(*rows: tuple[str, float]) -> dict[str, Any]:
    said = [{"lora": name, "model": strength} for name, strength in rows]
    return node("Lorasmith_LoraStack", rows=json.dumps({"version": 1, "missing": "refuse", "rows": said}))


def grid_of(stack: dict[str, Any], strengths: str, name: str, **more: Any) -> dict[str, Any]:
    asked = SMALL | MODELS | {"suite": ["suite", 0], "lora_stack": ["stack", 0], "strengths": strengths, "name": name}
    return BASE | photos() | {
        "caption": node("Lorasmith_CaptionDataset", dataset=["audit", 0], trigger="ohwx", class_word="person"),
        "stack": stack,
        "suite": suite(level="simple"),
        "grid": node("Lorasmith_StrengthGrid", **asked | {"dataset": ["caption", 0]} | more),
        "show": node("PreviewImage", images=["grid", 0]),
        "strength": node("PreviewAny", source=["grid", 2]),
    }  # fmt: skip


def test_a_grid_has_a_scored_cell_for_each_strength_and_marks_one(server: Server, lora: str) -> None:
    outputs = server.run(grid_of(stack_of((lora, 0.5)), "0.4, 1", "grid"))
    said = outputs["grid"]["lorasmith_grid"][0]
    assert [cell["strengths"] for cell in said["cells"]] == [[0.4], [1.0]] and said["columns"] == 2
    assert all(0 <= share <= 1 for cell in said["cells"] for share in cell["scores"].values() if share is not None)
    chosen = said["cells"][said["suggested"]]["strengths"][0]
    assert float(outputs["strength"]["text"][0]) == chosen == said["write"]["strength"]
    first, last = (pixels(server, cell["pictures"][0]) for cell in said["cells"])
    assert first.shape == last.shape == (96, 96, 3) and abs(first - last).mean() > 0
    sheet = pixels(server, outputs["show"]["images"][0])
    assert sheet.shape[1] > 2 * 256, "two labelled cells side by side"
    assert (server.base / "output/lorasmith_tests/grid/grid.json").is_file()
    again, _ = card(server, grid_of(stack_of((lora, 0.5)), "0.4, 1, 0.7", "grid"), "grid")
    assert "9 of the pictures were known" in again["text"], "base and both strengths; only the third is new"


def test_two_loras_make_rows_and_columns(server: Server, lora: str) -> None:
    _, output = card(server, grid_of(stack_of((lora, 1), (lora, 1)), "0.5 1", "two", second_strengths="0; 0.8"), "grid")
    said = output["lorasmith_grid"][0]
    assert [cell["strengths"] for cell in said["cells"]] == [[0.5, 0.0], [1.0, 0.0], [0.5, 0.8], [1.0, 0.8]]


def test_what_a_grid_cannot_do_is_said_before_sampling(server: Server, lora: str) -> None:
    def said(strengths: str, **more: Any) -> str:
        return server.failure(server.wait(server.queue(grid_of(stack_of((lora, 1)), strengths, "no", **more))))

    assert "'loud'" in said("0.5, loud, 9") and "'9'" in said("0.5, loud, 9")
    assert "65 cells are more than 64" in said(", ".join(str(i / 20) for i in range(65)))
    assert "second LoRA" in said("1", second_strengths="1")
    assert "no saved step" in said("1", checkpoints=True)


def test_the_button_writes_the_strength_and_only_the_editor_may_press_it(server: Server, lora: str) -> None:
    path = server.base / "output" / "loras" / lora
    asked = {"lora": lora, "strength": 0.7}
    request = urllib.request.Request(
        server.url + "/lorasmith/bench/recommend", json.dumps(asked).encode(),
        {"Content-Type": "application/json", "Origin": "http://elsewhere.example"},
    )  # fmt: skip
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 403
    with safe_open(str(path), framework="pt") as file:
        assert "lorasmith.strength" not in file.metadata()
    assert "now recommends" in server.post("/lorasmith/bench/recommend", asked)["text"]
    with safe_open(str(path), framework="pt") as file:
        assert file.metadata()["lorasmith.strength"] == "0.7" and file.metadata()["modelspec.trigger_phrase"] == "ohwx"
    known = server.post("/lorasmith/stack/info", {"names": [lora]})[lora]
    assert known["preferred"] == 0.7, "LoRA Stack starts a new row with it"
    for wrong in ({"lora": "../x", "strength": 1}, {"lora": lora, "strength": True}, {"lora": lora, "strength": 99}):
        assert server.post("/lorasmith/bench/recommend", wrong)["error"]


def test_check_diversity_takes_the_list_of_a_test_with_a_prompt_each(server: Server, lora: str) -> None:
    graph = bench_of(lora, "listed", steps=2) | {
        "six": node("Lorasmith_PromptSuite", suite="starter", language="en", trigger="ohwx", class_word="person",
                    level="simple"),
        "check": node("Lorasmith_CheckDiversity", images=["test", 0], base_images=["test", 1], prompt="photo of ohwx"),
        "each": node("Lorasmith_CheckDiversity", images=["test", 0], prompt=["six", 1]),
        "diagnose": node("Lorasmith_Diagnose", test=["check", 2]),
    }  # fmt: skip
    entry = server.wait(server.queue(graph))
    assert "3 prompts for 6 pictures" in server.failure(entry)
    del graph["each"]
    outputs = server.run(graph)
    assert "6 pictures" in outputs["check"]["lorasmith"][0]["text"]
    assert outputs["check"]["lorasmith_copies"][0]["copies"] == [], "without photos nothing can be a copy"


def test_a_diagnosis_reads_the_run_of_the_tested_lora(server: Server, lora: str) -> None:
    graph = bench_of(lora, "ill", steps=2) | photos() | {
        "caption": node("Lorasmith_CaptionDataset", dataset=["audit", 0], trigger="ohwx", class_word="person"),
        "plan": node("Lorasmith_PlanTraining", dataset=["caption", 0], base=["base", 3], purpose="character"),
        "diagnose": node("Lorasmith_Diagnose", dataset=["caption", 0], plan=["plan", 0], test=["test", 4]),
    }  # fmt: skip
    graph["test"]["inputs"]["dataset"] = ["caption", 0]
    _, output = card(server, graph, "diagnose")
    said = output["lorasmith_diagnosis"][0]
    assert said["lora"] == lora
    codes = [cause["code"] for cause in said["causes"]]
    assert "too_few_steps" in codes, f"12 steps are not enough, and that is said: {codes}"
    cure = next(c for cause in said["causes"] if cause["code"] == "too_few_steps" for c in cause["cures"])
    assert cure["op"] == "steps" and cure["value"] > 100
    nothing = server.failure(server.wait(server.queue({"d": node("Lorasmith_Diagnose")})))
    assert "There is nothing to diagnose" in nothing


def test_black_pictures_are_named_and_left_out(server: Server) -> None:
    graph = {
        "base": node("Lorasmith_LoadBase", checkpoint=STARTER),
        "black": node("EmptyImage", width=96, height=96, batch_size=5, color=0),
        "check": node("Lorasmith_CheckDiversity", images=["black", 0]),
    }
    report, _ = card(server, graph, "check")
    assert report["title"] == "Verdict: not enough images" and "black" in report["text"]
