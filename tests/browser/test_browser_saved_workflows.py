"""Workflows that were saved by earlier versions open whole: every node is there and no value is lost.

``tests/data/workflows/<version>/<name>/`` keeps ``workflow.json`` as the editor saved it, ``widgets.json`` (what
stood in its widgets) and ``prompt.json`` (the same in API format). They are never changed. A new version adds its own:

    LORASMITH_SAVE_FIXTURES=1 pytest tests/browser/test_browser_saved_workflows.py -k save
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import PACK, Server
from harness.frontend import Frontend
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEPT = PACK / "tests" / "data" / "workflows"
FIXTURES = sorted(KEPT.glob("*/*/workflow.json"))
TEMPLATES = {
    "quickstart": "01 Quickstart",
    "workbench": "06 LoRA workbench",
    "everything": "07 Everything on one canvas",
}
_WIDGETS = """() => Object.fromEntries(app.graph.nodes.filter((n) => n.type.startsWith("Lorasmith_")).map((n) => [n.id,
    Object.fromEntries((n.widgets ?? []).filter((w) => w.serialize !== false && w.options?.serialize !== false)
        .map((w) => [w.name, w.value]))]))"""
_EVERY_NODE = """async () => {
    app.graph.clear();
    const types = Object.keys(LiteGraph.registered_node_types).filter((t) => t.startsWith("Lorasmith_")).sort();
    types.forEach((type, i) => {
        const node = LiteGraph.createNode(type);
        app.graph.add(node);
        node.pos = [(i % 7) * 620, Math.floor(i / 7) * 1400];
    });
    await new Promise((done) => setTimeout(done, 1500));
    for (const node of app.graph.nodes) {
        for (const widget of node.widgets ?? []) {
            const { values, min = 0, max = 1e9, step2 = 1 } = widget.options ?? {};
            const known = typeof values === "function" ? values() : values;
            if (widget.name === "rows") widget.value = JSON.stringify({ version: 1, missing: "refuse", rows: [
                { id: "row1", on: true, lora: "a/b.safetensors",
                    model: 0.7, text: 0.5, blocks: "all", words: ["ohwx"], locked: false }] });
            else if (widget.name === "overrides") widget.value = JSON.stringify({
                kind: "lorasmith.overrides", version: 1,
                photos: [{ name: "a.jpg", id: "0123456789abcdef", verdict: "reject" }] });
            else if (known?.length > 1) widget.value = known[1];
            else if (typeof widget.value === "boolean") widget.value = !widget.value;
            else if (typeof widget.value === "number") {
                widget.value = widget.value + step2 <= max ? widget.value + step2 : Math.max(min, widget.value - step2);
            } else if (typeof widget.value === "string" && !known && widget.name !== "lora") widget.value += " changed";
            widget.callback?.(widget.value);
        }
    }
    await new Promise((done) => setTimeout(done, 500));
}"""


def version() -> str:
    """``v`` and the first two numbers of the version that these sources have."""
    (said,) = re.findall(r'^version = "(\d+\.\d+)', (PACK / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return f"v{said}"


@pytest.fixture(autouse=True)
def photos(server: Server) -> None:
    folder = server.base / "input" / "my_photos"
    folder.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").convert("RGB").save(folder / "a.jpg")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parents[1].name} {path.parent.name}")
def test_a_saved_workflow_opens_whole(frontend: Frontend, path: Path) -> None:
    workflow, widgets = (read(path.with_name(name)) for name in ("workflow.json", "widgets.json"))
    frontend.page.evaluate("(graph) => app.loadGraphData(graph)", workflow)
    frontend.page.wait_for_timeout(2000)
    assert frontend.missing_types() == []
    assert lost(widgets, frontend.page.evaluate(_WIDGETS)) == []
    assert len(frontend.page.evaluate("() => app.graph.serialize().links")) == len(workflow["links"])
    frontend.show_all()
    frontend.screenshot(f"saved {path.parents[1].name} {path.parent.name} {frontend.mode}")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parents[1].name} {path.parent.name}")
def test_a_saved_prompt_is_accepted(server: Server, path: Path) -> None:
    prompt = path.with_name("prompt.json")
    if prompt.is_file():
        assert server.refused(read(prompt)) == []


def test_every_node_of_this_version_was_kept() -> None:
    kept = {node["type"] for path in KEPT.glob(f"{version()}/*/workflow.json") for node in read(path)["nodes"]}
    golden = read(PACK / "tests" / "golden" / "node_schemas.json")
    assert set(golden) - kept == set()


def lost(wanted: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[str]:
    """Values that are not what they were, in words. Widgets that came later do not matter."""
    return [
        f"{node}.{name}: {value!r} became {found.get(node, {}).get(name)!r}"
        for node, widgets in wanted.items()
        for name, value in widgets.items()
        if found.get(node, {}).get(name) != value
    ]


@pytest.mark.skipif(not os.environ.get("LORASMITH_SAVE_FIXTURES"), reason="only a new version saves its workflows")
def test_save_this_versions_workflows(frontend: Frontend) -> None:
    if frontend.mode == "nodes 2.0":
        pytest.skip("saved once")
    for name, template in TEMPLATES.items():
        frontend.open_template(template)
        frontend.page.wait_for_timeout(1500)
        save(frontend, name, prompt=name != "workbench")  # Fetch LoRA refuses to run without a link
    frontend.page.evaluate(
        "async (pack) => { const easy = await import(`/extensions/${pack}/js/easy_graph.mjs`); app.graph.clear();"
        " await easy.open(); easy.set({'photos.folder': 'my_photos'}); }",
        "lorasmith-pack",
    )
    frontend.page.wait_for_timeout(1500)
    save(frontend, "easy", prompt=True)
    frontend.page.evaluate(_EVERY_NODE)
    save(frontend, "every node", prompt=False)


def save(frontend: Frontend, name: str, *, prompt: bool) -> None:
    folder = KEPT / version() / name
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "workflow.json", frontend.page.evaluate("() => app.graph.serialize()"))
    write(folder / "widgets.json", frontend.page.evaluate(_WIDGETS))
    if prompt:
        write(folder / "prompt.json", frontend.to_prompt())


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
