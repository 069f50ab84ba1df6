"""ComfyUI's real graph editor in headless Chromium."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .comfyui import PACK, Server
from .layout import faults, group_box, node_box

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

PACK_NAME = "lorasmith-pack"
SCREENSHOTS = Path(os.environ.get("LORASMITH_SCREENSHOTS") or PACK / "build" / "screenshots")
# fmt: off
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]
# fmt: on
_NOT_OURS = "huggingface.co"
"""ComfyUI's own first graph asks there for a model's size; its security policy refuses."""
_NORMAL_404 = re.compile(r"/(favicon\.ico|user\.css|userdata/|api/userdata|api/user\.css|.*\.jpg)")
"""Files that a fresh ComfyUI asks for and does not have, and thumbnails that are not made yet."""


def chromium() -> str | None:
    """The browser: ``CHROMIUM_PATH``, else the first one installed."""
    named = os.environ.get("CHROMIUM_PATH")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return named or next((found for name in names if (found := shutil.which(name))), None)


@dataclass
class Frontend:
    """One open page. ``problems`` collects what a user would find in the browser's console."""

    page: Page
    server: Server
    mode: str
    problems: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        """Keep a console error, unless it is one of ComfyUI's own missing files."""
        address = str(message.location.get("url", ""))
        ignored = _NORMAL_404.search(address) or _NOT_OURS in message.text
        if message.type == "error" and not ignored:
            self.problems.append(f"{message.text} ({address})")

    def open_template(self, name: str) -> None:
        """Open one of the pack's templates from the address that the template browser uses."""
        address = f"/api/workflow_templates/{PACK_NAME}/{quote(name)}.json"
        self.page.evaluate("async (address) => app.loadGraphData(await (await fetch(address)).json())", address)
        self.page.wait_for_timeout(500)

    def missing_types(self) -> list[str]:
        """Types in the open graph that nothing has registered."""
        return self.page.evaluate(
            "() => app.graph.nodes.map((n) => n.type).filter((t) => !LiteGraph.registered_node_types[t])"
        )

    def set_widget(self, node_type: str, widget: str, value: object) -> None:
        """Set a widget on every node of one type."""
        self.page.evaluate(
            """([type, name, value]) => {
                for (const node of app.graph.nodes.filter((n) => n.type === type)) {
                    const widget = node.widgets.find((w) => w.name === name);
                    widget.value = value;
                    widget.callback?.(value);
                }
            }""",
            [node_type, widget, value],
        )

    def to_prompt(self) -> dict[str, Any]:
        """The graph in API format, converted by the frontend itself."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def queue(self) -> str:
        """Press Run; the prompt's id."""
        with self.page.expect_response(lambda r: r.url.endswith("/prompt") and r.request.method == "POST") as sent:
            self.page.evaluate("() => app.queuePrompt(0, 1)")
        answer = sent.value.json()
        assert not answer.get("node_errors"), answer["node_errors"]
        return answer["prompt_id"]

    def run(self, timeout_s: float = 600.0) -> dict[str, Any]:
        """Press Run, wait, and insist on success; the outputs by node id."""
        prompt_id = self.queue()
        self.page.evaluate("() => app.canvas.stopRendering()")  # drawing would take the training's time
        entry = self.server.wait(prompt_id, timeout_s)
        self.page.evaluate("() => app.canvas.startRendering()")
        assert entry["status"]["status_str"] == "success", self.server.failure(entry)
        self.page.wait_for_timeout(1500)
        return entry["outputs"]

    def reports(self) -> dict[str, str]:
        """What the report cards say, by node type."""
        return self.page.evaluate(
            """() => Object.fromEntries(app.graph.nodes.filter((n) => n.lorasmithView)
                .map((n) => [n.type, n.lorasmithView.element.innerText]))"""
        )

    def pictures_on(self, node_type: str) -> int:
        """How many result pictures a node shows."""
        return self.page.evaluate(
            """(type) => {
                const node = app.graph.nodes.find((n) => n.type === type);
                const inDom = document.querySelectorAll(`[data-node-id="${node.id}"] img`).length;
                const onSheet = node.lorasmithView?.element.querySelectorAll("img[src]").length ?? 0;
                return Math.max(inDom, onSheet, node.imgs?.length ?? 0);
            }""",
            node_type,
        )

    def choices(self, node_type: str, widget: str) -> list[str]:
        """The options of a list widget."""
        return self.page.evaluate(
            """([type, name]) => {
                const node = app.graph.nodes.find((n) => n.type === type);
                const values = node.widgets.find((w) => w.name === name).options.values;
                return typeof values === "function" ? values() : values;
            }""",
            [node_type, widget],
        )

    def listed_loras(self) -> list[str]:
        """What the LoRA Stack's picker would offer now, as the page knows it."""
        return self.page.evaluate(
            """async (pack) =>
                (await (await import(`/extensions/${pack}/js/lora_stack_server.mjs`)).list()).loras""",
            PACK_NAME,
        )

    def keep_only(self, node_type: str) -> None:
        """Remove every node of another type."""
        self.page.evaluate(
            "(type) => app.graph.nodes.filter((n) => n.type !== type).forEach((n) => app.graph.remove(n))",
            node_type,
        )

    def layout_faults(self) -> list[str]:
        """What lies over what now, at the sizes that the nodes have on the screen."""
        found = self.page.evaluate(
            """() => ({
                nodes: app.graph.nodes.map((n) => {
                    const shown = document.querySelector(`[data-node-id="${n.id}"]`)?.offsetHeight ?? 0;
                    return [`${n.id} ${n.type}`, [...n.pos], [n.size[0], Math.max(n.size[1], shown - 30)]];
                }),
                groups: app.graph.groups.map((g) => [g.title, [...g.pos, ...g.size]]),
            })"""
        )
        return faults([node_box(*node) for node in found["nodes"]], [group_box(*group) for group in found["groups"]])

    def show_all(self) -> None:
        """Bring the whole graph into view."""
        self.page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.page.wait_for_timeout(1200)

    def show_node(self, node_type: str, scale: float = 1.0) -> None:
        """Bring one node into view at a scale at which it can be read."""
        self.page.evaluate(
            """([type, scale]) => {
                const node = app.graph.nodes.find((n) => n.type === type);
                app.canvas.ds.scale = scale;
                app.canvas.ds.offset = [-node.pos[0] + 120 / scale, -node.pos[1] + 120 / scale];
                app.canvas.setDirty(true, true);
            }""",
            [node_type, scale],
        )
        self.page.wait_for_timeout(800)

    def thumbnail(self, name: str) -> None:
        """Keep what is on the screen as the picture of a template in the template browser."""
        from io import BytesIO

        from PIL import Image

        box = {"x": 240, "y": 130, "width": 1440, "height": 810}
        with Image.open(BytesIO(self.page.screenshot(clip=box))) as picture:
            small = picture.convert("RGB").resize((960, 540), Image.Resampling.LANCZOS)
        small.save(PACK / "example_workflows" / f"{name}.jpg", quality=85)

    def screenshot(self, name: str) -> Path:
        """A picture for a person to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@contextmanager
def opened(server: Server, browser: Any, *, nodes_2: bool) -> Iterator[Frontend]:
    """The graph editor in one render mode, ready for work."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    settings = {
        "Comfy.TutorialCompleted": True,
        "Comfy.VueNodes.Enabled": nodes_2,
        "Comfy.Minimap.Visible": False,  # it would hide a part of the graph in the pictures
    }
    server.post("/api/settings", settings)
    frontend = Frontend(page, server, "nodes 2.0" if nodes_2 else "classic")
    page.on("console", frontend.heard)
    page.on("pageerror", lambda error: frontend.problems.append(str(error)))
    page.goto(server.url)
    page.wait_for_function(
        "() => !!(window.LiteGraph?.registered_node_types?.Lorasmith_TrainLora "
        "&& window.app?.extensionManager && window.app.isGraphReady)",
        timeout=120_000,
    )
    page.wait_for_timeout(1000)
    # ComfyUI complains while it starts; from here on, and where we are named, an error is ours.
    frontend.problems[:] = [text for text in frontend.problems if "lorasmith" in text.lower()]
    try:
        yield frontend
    finally:
        page.close()


@contextmanager
def launched() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
