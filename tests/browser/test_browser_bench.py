"""The test bench in the graph editor: template 03 as a user runs it, its views, and cures that change the graph.

The pictures in ``build/screenshots`` (or ``LORASMITH_SCREENSHOTS``) are for a person to look at.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from harness.comfyui import Server
from harness.frontend import Frontend
from safetensors import safe_open

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAME = "03 Test and diagnose"
BENCH = ("Lorasmith_PromptSuite", "Lorasmith_TestLora", "Lorasmith_StrengthGrid", "Lorasmith_Diagnose")
DIALOG = "dialog.lorasmith-bench-zoom[open]"


def test_template_03_runs_as_it_is_and_shows_its_results(frontend: Frontend, server: Server) -> None:
    run_template(frontend)
    reports = frontend.reports()
    assert [node for node in BENCH if not reports.get(node)] == []
    assert "Verdict:" in reports["Lorasmith_TestLora"]
    assert count(frontend, "Lorasmith_TestLora", ".lorasmith-bench-pair") == 12
    assert count(frontend, "Lorasmith_StrengthGrid", ".lorasmith-bench-cell") == 4
    assert count(frontend, "Lorasmith_StrengthGrid", ".lorasmith-bench-cell-chosen") == 1
    assert count(frontend, "Lorasmith_Diagnose", ".lorasmith-bench-cause, .lorasmith-bench-empty") >= 1
    assert frontend.pictures_on("PreviewImage") == 1
    frontend.show_all()
    frontend.screenshot(f"{NAME} finished {frontend.mode}")
    if os.environ.get("LORASMITH_UPDATE_THUMBNAILS") and frontend.mode == "nodes 2.0":
        frontend.thumbnail(NAME)
    for node in BENCH:
        frontend.show_node(node, 0.9)
        frontend.screenshot(f"{NAME} {node} {frontend.mode}")
    enlarge_a_pair(frontend)
    walk_the_grid(frontend)
    write_the_strength(frontend, server)
    reload_keeps_the_views(frontend)


def test_a_cure_changes_the_graph_and_undo_takes_it_back(frontend: Frontend) -> None:
    """What the node shows comes from a diagnosis; which one does not matter for its buttons."""
    frontend.open_template(NAME)
    said = diagnosis()
    frontend.page.evaluate(
        "(said) => app.graph.nodes.find((n) => n.type === 'Lorasmith_Diagnose').lorasmithBench.show(said)", said
    )
    frontend.show_node("Lorasmith_Diagnose", 1.0)
    frontend.screenshot(f"diagnosis {frontend.mode}")
    frontend.page.get_by_role("button", name="Train 420 steps.").first.click()
    assert widget(frontend, "Lorasmith_PlanTraining", "steps") == 420
    assert "chosen by itself → 420" in view_text(frontend)
    frontend.page.get_by_role("button", name="Use the LoRA at a strength of 0.7.").first.click()
    assert widget(frontend, "Lorasmith_TestLora", "strength") == 0.7
    frontend.page.get_by_role("button", name="Leave out 1 photo.").click()
    decided = json.loads(widget(frontend, "Lorasmith_AuditDataset", "overrides"))
    assert decided["photos"] == [{"name": "a.jpg", "id": "0123456789abcdef", "verdict": "reject"}]
    frontend.screenshot(f"diagnosis cured {frontend.mode}")
    frontend.page.wait_for_timeout(600)
    for _ in range(3):
        frontend.page.evaluate("() => app.extensionManager.command.execute('Comfy.Undo')")
        frontend.page.wait_for_timeout(600)
    assert widget(frontend, "Lorasmith_PlanTraining", "steps") == 0
    assert widget(frontend, "Lorasmith_TestLora", "strength") == 1
    assert widget(frontend, "Lorasmith_AuditDataset", "overrides") == ""


def run_template(frontend: Frontend) -> None:
    """The second render mode finds everything in ComfyUI's cache: the graph is the same."""
    frontend.open_template(NAME)
    frontend.run(timeout_s=1800)


def enlarge_a_pair(frontend: Frontend) -> None:
    frontend.show_node("Lorasmith_TestLora", 0.9)
    frontend.page.locator(".lorasmith-bench-pair").nth(1).click()
    dialog = frontend.page.locator(DIALOG)
    dialog.wait_for()
    assert dialog.locator("img").count() >= 2
    assert "2 of 12" in dialog.inner_text()
    frontend.page.keyboard.press("ArrowRight")
    assert "3 of 12" in dialog.inner_text()
    frontend.screenshot(f"{NAME} enlarged {frontend.mode}")
    frontend.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    focused = "() => [...document.querySelectorAll('.lorasmith-bench-pair')].indexOf(document.activeElement)"
    assert frontend.page.evaluate(focused) == 2, "the focus is where the user left"


def walk_the_grid(frontend: Frontend) -> None:
    frontend.show_node("Lorasmith_StrengthGrid", 0.9)
    frontend.page.locator(".lorasmith-bench-cell").first.focus()
    frontend.page.keyboard.press("ArrowRight")
    frontend.page.keyboard.press("Enter")
    dialog = frontend.page.locator(DIALOG)
    dialog.wait_for()
    assert "Cell 2 of 4, picture 1 of" in dialog.inner_text()
    frontend.page.keyboard.press("ArrowRight")
    frontend.page.keyboard.press("ArrowDown")
    assert "Cell 3 of 4, picture 2 of" in dialog.inner_text()
    frontend.page.keyboard.press("Escape")


def write_the_strength(frontend: Frontend, server: Server) -> None:
    frontend.show_node("Lorasmith_StrengthGrid", 0.6)
    frontend.page.locator(".lorasmith-bench-foot .lorasmith-bench-action").click()
    said = frontend.page.locator(".lorasmith-bench-said")
    said.filter(has_text="now recommends").wait_for()
    strength = said.inner_text().rsplit(" ", 1)[1].rstrip(".")
    frontend.screenshot(f"{NAME} written {frontend.mode}")
    with safe_open(str(server.base / "output" / "loras" / "tested.safetensors"), framework="pt") as file:
        assert file.metadata()["lorasmith.strength"] == strength


def reload_keeps_the_views(frontend: Frontend) -> None:
    """Undo and a change of tabs make every node anew; what they showed is there again."""
    frontend.page.evaluate("async () => app.loadGraphData(app.graph.serialize())")
    frontend.page.wait_for_timeout(1500)
    assert count(frontend, "Lorasmith_TestLora", ".lorasmith-bench-pair") in (0, 12)


def count(frontend: Frontend, node_type: str, selector: str) -> int:
    """How many elements a node's view holds."""
    return frontend.page.evaluate(
        """([type, selector]) => app.graph.nodes.find((n) => n.type === type)
            .lorasmithBench.element.querySelectorAll(selector).length""",
        [node_type, selector],
    )


def widget(frontend: Frontend, node_type: str, name: str) -> Any:
    return frontend.page.evaluate(
        """([type, name]) => app.graph.nodes.find((n) => n.type === type)
            .widgets.find((w) => w.name === name).value""",
        [node_type, name],
    )


def view_text(frontend: Frontend) -> str:
    return frontend.page.evaluate(
        "() => app.graph.nodes.find((n) => n.type === 'Lorasmith_Diagnose').lorasmithBench.element.innerText"
    )


def diagnosis() -> dict[str, Any]:
    """What the node sends, with one cure of each kind."""
    cures = [
        {"op": "drop_photos", "target": "dataset", "value": ["a.jpg"], "text": "Leave out 1 photo."},
        {"op": "steps", "target": "plan", "value": 420, "text": "Train 420 steps."},
        {"op": "strength", "target": "strength", "value": 0.7, "text": "Use the LoRA at a strength of 0.7."},
        {"op": "advice", "target": "you", "value": "", "text": "Add photos from other days, places and clothes."},
    ]
    cause = {
        "code": "duplicates", "title": "Many photos show the same shot", "numbers": {}, "weight": 0.9,
        "evidence": "5 of 20 photos repeat another one.", "cures": cures,
    }  # fmt: skip
    again = cause | {"title": "Trained for too long", "cures": cures[1:]}
    return {
        "version": 1, "verdict": "overfit", "causes": [cause, again], "unknown": ["Faces were not compared."],
        "photos": {"a.jpg": {"token": "", "id": "0123456789abcdef"}}, "lora": "tested.safetensors",
    }  # fmt: skip
