"""The help of a node, opened as a user does it, in the language that ComfyUI is set to."""

from __future__ import annotations

from typing import Any

import pytest
from harness.comfyui import Server
from harness.frontend import Frontend, opened
from help_pages import LANGUAGES, page_path, words_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NODE = "Lorasmith_AuditDataset"


def open_help(frontend: Frontend, node_id: str) -> Any:
    """Click a node of this type and press the info button above it; the page."""
    frontend.page.evaluate(
        """(type) => {
            app.graph.clear();
            const node = LiteGraph.createNode(type);
            node.pos = [200, 300];
            app.graph.add(node);
            app.canvas.ds.scale = 0.8;
            app.canvas.ds.offset = [100, 0];
            app.canvas.setDirty(true, true);
        }""",
        node_id,
    )
    frontend.page.locator(".lg-node-header").first.click()
    frontend.page.get_by_test_id("info-button").click()
    help_page = frontend.page.locator(".node-help-content")
    help_page.locator("h1").wait_for(timeout=20_000)
    return help_page


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_help_is_in_the_users_language(server: Server, browser: Any, language: str) -> None:
    server.post("/api/settings", {"Comfy.Locale": language})
    try:
        with opened(server, browser, nodes_2=True) as frontend:
            help_page = open_help(frontend, NODE)
            picture = help_page.locator("img")
            frontend.screenshot(f"help {language}")
            title = page_path(NODE, language).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
            assert help_page.locator("h1").inner_text() == title == words_of(NODE, language)["display_name"]
            assert LANGUAGES[language].sections[3] in help_page.locator("h2").all_inner_texts()
            assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") > 300
            assert frontend.problems == []
    finally:
        server.post("/api/settings", {"Comfy.Locale": "en"})
