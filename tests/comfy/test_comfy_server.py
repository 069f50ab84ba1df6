"""The pack in a running ComfyUI: registered, cheap, helpful, and clear about bad input."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from harness.comfyui import PACK, Server

pytestmark = pytest.mark.comfy
GOLDEN: dict[str, Any] = json.loads((PACK / "tests/golden/node_schemas.json").read_text(encoding="utf-8"))


def test_every_node_is_registered(server: Server) -> None:
    assert "IMPORT FAILED" not in server.log
    known = server.get("/object_info")
    assert {node_id for node_id in GOLDEN if node_id not in known} == set()


def test_import_time_in_comfyuis_own_table(server: Server) -> None:
    (seconds,) = re.findall(r"([0-9.]+) seconds: \S*lorasmith-pack", server.log)
    assert float(seconds) < 0.15


def test_web_files_are_served_once(server: Server) -> None:
    ours = [path for path in server.get("/extensions") if "lorasmith" in path]
    assert sorted(ours) == [f"/extensions/lorasmith-pack/js/{name}.js" for name in ("easy", "lorasmith")]
    for name in (
        "words/easy.zh.json",
        "css/easy.css",
        "css/bench.css",
        "css/train.css",
        "js/report_view.mjs",
        "js/sheet.mjs",
        "css/lorasmith.css",
        "css/sheet.css",
        "css/zoom.css",
    ):
        status, content_type, body = server.fetch(f"/extensions/lorasmith-pack/{name}")
        assert status == 200 and body and content_type != "text/html"


@pytest.mark.parametrize("node_id", GOLDEN)
def test_help_page_is_served(server: Server, node_id: str) -> None:
    status, content_type, body = server.fetch(f"/extensions/lorasmith-pack/docs/{node_id}.md")
    assert status == 200 and content_type != "text/html"
    assert body.decode().startswith(f"# {GOLDEN[node_id]['display_name']}")


def test_locale_reaches_the_frontend(server: Server) -> None:
    words = server.get("/i18n")["en"]
    assert set(GOLDEN) <= set(words["nodeDefs"])
    assert words["nodeCategories"]["Lorasmith"] == "Lorasmith"


def test_templates_are_listed_and_served(server: Server) -> None:
    names = sorted(path.stem for path in (PACK / "example_workflows").glob("*.json"))
    assert sorted(server.get("/workflow_templates")["lorasmith-pack"]) == names
    assert names[:2] == ["01 Quickstart", "02 Character LoRA, your checkpoint"]


# -- bad input: one clear line at the node, before or during the run ----------------------------------


def refusal(server: Server, prompt: dict[str, Any], node: str) -> str:
    """What ComfyUI says at ``node`` when it refuses the graph before it runs."""
    errors = server.post("/prompt", {"prompt": prompt})["node_errors"][node]["errors"]
    return errors[0]["details"]


def failure(server: Server, prompt: dict[str, Any]) -> str:
    """The error of a graph that fails while it runs."""
    return server.failure(server.wait(server.queue(prompt)))


def node(class_type: str, **inputs: object) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def audit_of(folder: object) -> dict[str, Any]:
    load = node("Lorasmith_LoadPhotoFolder", folder=folder)
    return {"1": load, "2": node("Lorasmith_AuditDataset", dataset=["1", 0])}


def test_missing_folder_is_refused_before_the_run(server: Server) -> None:
    (server.base / "input" / "holiday_photos").mkdir(exist_ok=True)
    said = refusal(server, audit_of("holiday_photo"), "1")
    assert "There is no folder" in said and "Did you mean 'holiday_photos'" in said


def test_no_folder_named(server: Server) -> None:
    assert "No photo folder was named" in refusal(server, audit_of("  "), "1")


def test_empty_folder_and_folder_without_photos(server: Server) -> None:
    folder = server.base / "input" / "no photos"
    folder.mkdir(exist_ok=True)
    assert "is empty" in failure(server, audit_of("no photos"))
    (folder / "list.txt").write_text("shopping", encoding="utf-8")
    assert "No photo among the 1 files" in failure(server, audit_of("no photos"))


def test_error_names_our_type_and_not_an_install_path(server: Server) -> None:
    folder = server.base / "input" / "nothing here"
    folder.mkdir(exist_ok=True)
    assert failure(server, audit_of("nothing here")).startswith("lorasmith.BadInputError: ")


@pytest.mark.parametrize("name", ["../escape", "/etc/evil", "a/../../b", "", "  ", "con"])
def test_output_name_stays_in_the_lora_folder(server: Server, name: str) -> None:
    prompt = audit_of("x") | {
        "3": node("Lorasmith_LoadBase", checkpoint="Lorasmith starter (built in)"),
        "4": node("Lorasmith_PlanTraining", dataset=["2", 0], base=["3", 3], purpose="character"),
        "5": node(
            "Lorasmith_TrainLora",
            dataset=["2", 0],
            plan=["4", 0],
            clip=["3", 1],
            vae=["3", 2],
            base=["3", 3],
            name=name,
        ),
    }
    assert "does not stay inside" in refusal(server, prompt, "5")


def test_missing_checkpoint_and_file_that_is_none(server: Server) -> None:
    def plan_with(checkpoint: str) -> dict[str, Any]:
        base = node("Lorasmith_LoadBase", checkpoint=checkpoint)
        return audit_of("x") | {
            "3": base,
            "4": node("Lorasmith_PlanTraining", dataset=["2", 0], base=["3", 3], purpose="character"),
        }

    assert "is not in ComfyUI's checkpoint folders" in refusal(server, plan_with("gone.safetensors"), "3")
    folder = server.base / "models" / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.safetensors").write_text("this is no checkpoint, whatever its name says")
    assert "'text.safetensors' is" in refusal(server, plan_with("text.safetensors"), "3")
