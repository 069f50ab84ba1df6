"""Every template, opened and run as a user does it: through ComfyUI's own graph editor.

The pictures in ``build/screenshots`` (or ``LORASMITH_SCREENSHOTS``) are for a person to look at.
``LORASMITH_UPDATE_THUMBNAILS=1`` also makes the templates' thumbnails anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from harness.bench_graphs import write_lora
from harness.comfyui import PACK, Server
from harness.frontend import Frontend

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEMPLATES = sorted((PACK / "example_workflows").glob("*.json"))
SPEAKING = (
    "Lorasmith_AuditDataset",
    "Lorasmith_CropToSubject",
    "Lorasmith_CaptionDataset",
    "Lorasmith_PlanTraining",
    "Lorasmith_TrainLora",
    "Lorasmith_CheckDiversity",
)
STEPS = int(os.environ.get("LORASMITH_TEMPLATE_STEPS", "24"))
"""Of the templates that are run for their way, not for their result."""
WITH_PICTURES = tuple(t for t in SPEAKING if t not in ("Lorasmith_CaptionDataset", "Lorasmith_PlanTraining"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_opens_whole(frontend: Frontend, path: Path) -> None:
    frontend.open_template(path.stem)
    assert frontend.missing_types() == []
    classes = [node["class_type"] for node in frontend.to_prompt().values()]
    assert sum(name.startswith("Lorasmith_") for name in classes) >= 5
    frontend.show_all()
    assert frontend.layout_faults() == []
    frontend.screenshot(f"{path.stem} opened {frontend.mode}")


def test_quickstart_runs_as_it_is(frontend: Frontend, server: Server) -> None:
    frontend.open_template("01 Quickstart")
    frontend.run(timeout_s=1800)
    check_results(frontend, server, "01 Quickstart")
    assert "Verdict:" in frontend.reports()["Lorasmith_CheckDiversity"]


def test_training_can_be_watched_and_cancelled(frontend: Frontend, server: Server) -> None:
    frontend.open_template("01 Quickstart")
    frontend.set_widget("Lorasmith_TrainLora", "name", "watched")
    frontend.set_widget("Lorasmith_PlanTraining", "steps", 50_000)
    frontend.set_widget("Lorasmith_PlanTraining", "seed", 1 + (frontend.mode == "classic"))
    prompt_id = frontend.queue()
    frontend.show_node("Lorasmith_TrainLora")
    frontend.page.locator(".lorasmith-train", has_text=re.compile(r"Step [1-9]\d* of 50000")).wait_for(timeout=300_000)
    frontend.screenshot(f"training {frontend.mode}")
    assert " of 50000" in frontend.reports()["Lorasmith_TrainLora"]
    frontend.page.evaluate("() => app.extensionManager.command.execute('Comfy.Interrupt')")
    entry = server.wait(prompt_id, 30)
    assert server.failure(entry) == "execution_interrupted"
    frontend.page.wait_for_timeout(1500)
    said = frontend.reports()["Lorasmith_TrainLora"]
    assert "Stopped" in said and "Saved as watched" in said
    assert "watched.safetensors" in frontend.listed_loras()


def test_your_own_photos(frontend: Frontend, server: Server) -> None:
    """The second template with photos in its folder; few steps, small pictures: the way, not the result."""
    own = server.base / "input" / "my_photos"
    if not own.is_dir():
        frontend.open_template("01 Quickstart")
        frontend.keep_only("Lorasmith_DemoPhotos")
        frontend.run()
        own.mkdir()
        for photo in sorted((server.base / "input" / "lorasmith_demo").glob("good_*.jpg"))[:6]:
            shutil.copy(photo, own)
    frontend.open_template("02 Character LoRA, your checkpoint")
    frontend.set_widget("Lorasmith_PlanTraining", "steps", 10)
    frontend.set_widget("KSampler", "steps", 4)
    for name, value in {"width": 96, "height": 96, "batch_size": 4}.items():
        frontend.set_widget("EmptyLatentImage", name, value)
    frontend.run(timeout_s=1800)
    check_results(frontend, server, "02 Character LoRA, your checkpoint")


def look(frontend: Frontend, name: str) -> None:
    """The whole canvas after a run: nothing grew over anything else."""
    frontend.show_all()
    frontend.screenshot(f"{name} finished {frontend.mode}")
    if os.environ.get("LORASMITH_UPDATE_THUMBNAILS") and frontend.mode == "nodes 2.0":
        frontend.thumbnail(name)
    assert frontend.layout_faults() == []


def check_results(frontend: Frontend, server: Server, name: str) -> None:
    """What a user must find on the nodes after a run."""
    look(frontend, name)
    reports = frontend.reports()
    assert [node for node in SPEAKING if not reports.get(node)] == []
    assert [node for node in WITH_PICTURES if frontend.pictures_on(node) == 0] == []
    for node in SPEAKING:
        frontend.show_node(node)
        frontend.screenshot(f"{name} {node} {frontend.mode}")
    saved = reports["Lorasmith_TrainLora"].split("Saved as ")[1].splitlines()[0]
    assert saved in frontend.listed_loras(), "the list of LoRAs is stale"
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log
    assert "IMPORT FAILED" not in server.log


def test_person_and_style_runs_as_it_is(frontend: Frontend, server: Server) -> None:
    """Two LoRAs are trained and tried against each other; the pictures are made at the suggested strengths."""
    frontend.open_template("04 Person + style")
    frontend.run(timeout_s=1800)
    look(frontend, "04 Person + style")
    for node in ("Lorasmith_StrengthGrid", "Lorasmith_TrainLora", "PreviewImage"):
        frontend.show_node(node, 0.9)
        frontend.screenshot(f"04 Person + style {node} {frontend.mode}")
    assert "Suggested:" in frontend.reports()["Lorasmith_StrengthGrid"]
    assert frontend.pictures_on("PreviewImage") >= 1
    assert {"the_person.safetensors", "the_style.safetensors"} <= set(frontend.listed_loras())
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log


def test_dataset_in_and_out_runs(frontend: Frontend) -> None:
    frontend.open_template("08 Dataset, in and out")
    frontend.run(timeout_s=900)
    look(frontend, "08 Dataset, in and out")
    assert "pictures written" in frontend.reports()["Lorasmith_ExportDataset"]


def test_style_runs_and_is_tested(frontend: Frontend, server: Server) -> None:
    """Few steps: the way from pictures in one look to a tested LoRA, not the result."""
    frontend.open_template("05 Style LoRA")
    for node, name, value in (
        ("PlanTraining", "steps", STEPS), ("PromptSuite", "most_prompts", 2), ("TestLora", "per_prompt", 2),
    ):  # fmt: skip
        frontend.set_widget(f"Lorasmith_{node}", name, value)
    frontend.run(timeout_s=1800)
    look(frontend, "05 Style LoRA")
    reports = frontend.reports()
    assert "32 of 35 photos kept" in reports["Lorasmith_AuditDataset"]
    assert "2 prompts: The words of the starter base, in a style" in reports["Lorasmith_PromptSuite"]
    assert "Verdict:" in reports["Lorasmith_TestLora"] and reports["Lorasmith_Diagnose"]
    assert "my_style.safetensors" in frontend.listed_loras()
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log


def test_everything_on_one_canvas_runs(frontend: Frontend, server: Server) -> None:
    frontend.open_template("07 Everything on one canvas")
    for node, name, value in (
        ("PlanTraining", "steps", STEPS), ("PromptSuite", "most_prompts", 2), ("TestLora", "per_prompt", 2),
        ("StrengthGrid", "strengths", "0.5, 1"),
    ):  # fmt: skip
        frontend.set_widget(f"Lorasmith_{node}", name, value)
    frontend.run(timeout_s=1800)
    look(frontend, "07 Everything on one canvas")
    reports = frontend.reports()
    told = [*SPEAKING, "Lorasmith_TrainingSettings", "Lorasmith_TestLora", "Lorasmith_Diagnose", "Lorasmith_MergeLoras"]
    told += ["Lorasmith_CheckLoraConflicts", "Lorasmith_StrengthGrid"]
    assert [node for node in told if not reports.get(node)] == []
    assert {"everything.safetensors", "everything_merged.safetensors"} <= set(frontend.listed_loras())
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log


def test_workbench_runs_with_two_loras(frontend: Frontend, server: Server) -> None:
    """Nothing to fetch, two LoRAs that are there: which get in each other's way, and at what strengths they fit."""
    rows = [
        {"id": name, "on": True, "lora": write_lora(server, name), "model": 0.8, "text": None,
         "blocks": "all", "words": [], "locked": False}
        for name in ("workbench_a", "workbench_b")
    ]  # fmt: skip
    frontend.open_template("06 LoRA workbench")
    frontend.page.evaluate("() => (app.graph.nodes.find((n) => n.type === 'Lorasmith_FetchLora').mode = 4)")
    said = {"version": 1, "missing": "refuse", "rows": rows}
    frontend.set_widget("Lorasmith_LoraStack", "rows", json.dumps(said))
    frontend.run(timeout_s=300)
    look(frontend, "06 LoRA workbench")
    assert "Verdict:" in frontend.reports()["Lorasmith_CheckLoraConflicts"]
