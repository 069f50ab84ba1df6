"""What every node owes its user, read from the recorded schemas: no ComfyUI is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import PACK
from harness.layout import faults, group_boxes, hidden_wires, node_boxes
from PIL import Image

GOLDEN: dict[str, Any] = json.loads((PACK / "tests/golden/node_schemas.json").read_text(encoding="utf-8"))
TEMPLATES = sorted((PACK / "example_workflows").glob("*.json"))
MENU = {"1 Dataset", "2 Plan", "3 Train", "4 Combine", "5 Test"}


def inputs_of(info: dict[str, Any]) -> dict[str, Any]:
    return {**info["input"].get("required", {}), **info["input"].get("optional", {})}


@pytest.mark.parametrize("node_id", GOLDEN)
def test_every_socket_and_widget_has_a_tooltip(node_id: str) -> None:
    info = GOLDEN[node_id]
    without = [name for name, (_, *options) in inputs_of(info).items() if not (options and options[0].get("tooltip"))]
    without += [name for name, tip in zip(info["output_name"], info["output_tooltips"], strict=True) if not tip]
    assert without == []
    assert info["description"]


@pytest.mark.parametrize("node_id", GOLDEN)
def test_every_node_is_in_our_menu_under_our_prefix(node_id: str) -> None:
    info = GOLDEN[node_id]
    top, station = info["category"].split("/")
    assert top == "Lorasmith" and station in MENU
    assert re.fullmatch(r"Lorasmith_[A-Z][A-Za-z]+", node_id)


@pytest.mark.parametrize("node_id", GOLDEN)
def test_every_node_has_a_help_page_that_names_all_inputs_and_outputs(node_id: str) -> None:
    page = (PACK / "web/docs" / f"{node_id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {GOLDEN[node_id]['display_name']}\n")
    names = (*inputs_of(GOLDEN[node_id]), *GOLDEN[node_id]["output_name"])
    assert [name for name in names if f"`{name}`" not in page] == []


def test_no_help_page_without_a_node() -> None:
    assert {page.stem for page in (PACK / "web/docs").glob("*.md")} == set(GOLDEN)


def test_every_node_is_used_by_a_template() -> None:
    used = {node["type"] for path in TEMPLATES for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]}
    assert {node_id for node_id in GOLDEN if node_id not in used} == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_is_clean(path: Path) -> None:
    graph = json.loads(path.read_text(encoding="utf-8"))
    sizes = [node["size"] for node in graph["nodes"]]
    assert graph["version"] == 0.4 and graph["groups"]
    assert all(width > 0 and height > 0 for width, height in sizes)
    ours = [node for node in graph["nodes"] if node["type"].startswith("Lorasmith_")]
    assert {node["type"] for node in ours} <= set(GOLDEN)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/root|/tmp/|[A-Z]:\\\\", text), "a path of somebody's machine"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_is_tidy(path: Path) -> None:
    graph = json.loads(path.read_text(encoding="utf-8"))
    assert faults(node_boxes(graph), group_boxes(graph)) == []
    assert hidden_wires(graph) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_has_a_picture_of_a_run(path: Path) -> None:
    with Image.open(path.with_suffix(".jpg")) as picture:
        assert picture.size == (960, 540)


@pytest.mark.parametrize("locale", sorted(p.name for p in (PACK / "locales").iterdir()))
def test_locale_covers_every_node_input_and_output(locale: str) -> None:
    folder = PACK / "locales" / locale
    defs = json.loads((folder / "nodeDefs.json").read_text(encoding="utf-8"))
    assert set(defs) == set(GOLDEN)
    for node_id, info in GOLDEN.items():
        words = defs[node_id]
        assert words["display_name"] and words["description"], node_id
        assert set(words.get("inputs", {})) == set(inputs_of(info)), node_id
        assert set(words["outputs"]) == {str(i) for i in range(len(info["output"]))}, node_id
        for item in (*words.get("inputs", {}).values(), *words["outputs"].values()):
            assert item["name"] and item["tooltip"], node_id
    categories = json.loads((folder / "main.json").read_text(encoding="utf-8"))["nodeCategories"]
    assert set(categories) == MENU | {"Lorasmith"}


def test_english_locale_says_what_the_schemas_say() -> None:
    defs = json.loads((PACK / "locales/en/nodeDefs.json").read_text(encoding="utf-8"))
    for node_id, info in GOLDEN.items():
        assert defs[node_id]["display_name"] == info["display_name"]
        assert defs[node_id]["description"] == info["description"]
        for name, (_, options) in inputs_of(info).items():
            assert defs[node_id]["inputs"][name]["tooltip"] == options["tooltip"], f"{node_id}.{name}"
        for index, tip in enumerate(info["output_tooltips"]):
            assert defs[node_id]["outputs"][str(index)]["tooltip"] == tip
