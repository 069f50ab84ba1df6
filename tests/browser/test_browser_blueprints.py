"""The pack's subgraph blueprints: ComfyUI lists them, the node search adds them, and what they add is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.comfyui import PACK, Server
from harness.frontend import PACK_NAME, Frontend
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BLUEPRINTS = sorted((PACK / "subgraphs").glob("*.json"))


@pytest.fixture(autouse=True)
def photos(server: Server) -> None:
    """The folder that the blueprint names at first; a missing one is refused, and rightly."""
    folder = server.base / "input" / "my_photos"
    folder.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").convert("RGB").save(folder / "a.jpg")


def inside(path: Path) -> set[str]:
    """The types of the nodes that a blueprint is made of."""
    (subgraph,) = json.loads(path.read_text(encoding="utf-8"))["definitions"]["subgraphs"]
    return {node["type"] for node in subgraph["nodes"]}


def test_comfyui_lists_them(server: Server) -> None:
    listed = server.get("/global_subgraphs")
    ours = {e["name"]: key for key, e in listed.items() if e["info"]["node_pack"] == f"custom_nodes.{PACK_NAME}"}
    assert set(ours) == {path.stem for path in BLUEPRINTS} == {"Photos to LoRA", "Stack and test"}
    for path in BLUEPRINTS:
        given = server.get(f"/global_subgraphs/{ours[path.stem]}")["data"]
        assert json.loads(given) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_the_node_search_adds_one(frontend: Frontend, server: Server, path: Path) -> None:
    frontend.page.evaluate("() => app.graph.clear()")
    add(frontend, path.stem)
    frontend.screenshot(f"blueprint {path.stem} {frontend.mode}")
    assert frontend.page.evaluate("() => app.graph.nodes.map((n) => n.title)") == [path.stem]
    prompt = frontend.to_prompt()
    assert {node["class_type"] for node in prompt.values()} == inside(path)
    waits_for_a_wire = {"Lorasmith_LoraStack", "Lorasmith_TestLora", "Lorasmith_CheckLoraConflicts"}
    assert {said.split(": ")[0] for said in server.refused(prompt)} <= waits_for_a_wire


def test_photos_to_lora_and_stack_and_test_fit_together(frontend: Frontend, server: Server) -> None:
    """Wired by hand, as their sockets ask: the graph is accepted."""
    frontend.page.evaluate("() => app.graph.clear()")
    add(frontend, "Photos to LoRA")
    add(frontend, "Stack and test")
    wired = frontend.page.evaluate(
        """() => {
            const [a, b] = ["Photos to LoRA", "Stack and test"].map((t) => app.graph.nodes.find((n) => n.title === t));
            return ["lora_stack", "model", "clip", "vae", "dataset"].map((name) => !!a.connect(
                a.outputs.findIndex((s) => s.name === name), b, b.inputs.findIndex((s) => s.name === name)));
        }"""
    )
    assert wired == [True] * 5
    prompt = frontend.to_prompt()
    assert {node["class_type"] for node in prompt.values()} >= {"Lorasmith_TrainLora", "Lorasmith_TestLora"}
    assert server.refused(prompt) == []


def add(frontend: Frontend, name: str) -> None:
    """As a user does: the node search, the name, Enter."""
    page = frontend.page
    page.evaluate("() => app.extensionManager.command.execute('Workspace.SearchBox.Toggle')")
    page.wait_for_timeout(700)
    page.keyboard.type(name, delay=20)
    page.wait_for_timeout(900)
    page.keyboard.press("Enter")
    page.wait_for_timeout(900)
    page.mouse.click(900, 500)
    page.wait_for_timeout(900)
