"""The editor in Russian and in Chinese: what our widgets say is said in that language."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.comfyui import PACK, Server
from harness.frontend import Frontend, opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDGETS = ("LoraStack", "FetchLora", "TestLora", "StrengthGrid", "Diagnose", "TrainLora")
LINE = ("DemoPhotos", "LoadPhotoFolder", "AuditDataset")
KEEP = "(types) => app.graph.nodes.filter((n) => !types.includes(n.type)).forEach((n) => app.graph.remove(n))"
SHOWN = """() => {
    const ours = [...document.querySelectorAll('[class^="lorasmith"], [class*=" lorasmith"]')];
    const said = ours.flatMap((element) => [
        ...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data),
        ...["title", "aria-label", "placeholder"].map((name) => element.getAttribute(name) ?? ""),
    ]);
    return [...new Set(said.map((text) => text.trim()).filter(Boolean))];
}"""


def english(language: str) -> set[str]:
    """Every English text of the widgets that reads otherwise in ``language``."""
    found: set[str] = set()
    for path in (PACK / "web" / "words").glob("*.en.json"):
        other = json.loads(path.with_name(path.name.replace(".en.", f".{language}.")).read_text(encoding="utf-8"))
        for key, word in json.loads(path.read_text(encoding="utf-8")).items():
            if isinstance(word, str) and "{" not in word and word not in (other[key], "ok"):
                found.add(word)
    return found


def add_widgets(frontend: Frontend) -> None:
    """One node of each kind that has a widget of its own, below the others."""
    frontend.page.evaluate(
        """(types) => types.forEach((type, index) => {
            const node = LiteGraph.createNode(`Lorasmith_${type}`);
            node.pos = [(index % 3) * 900, 1400 + Math.floor(index / 3) * 1200];
            app.graph.add(node);
        })""",
        WIDGETS,
    )


@pytest.mark.parametrize(("language", "nodes_2", "letter"), [("ru", False, "а"), ("zh", True, "的")])
def test_widgets_speak_the_users_language(
    server: Server, browser: Any, language: str, nodes_2: bool, letter: str
) -> None:
    server.post("/api/settings", {"Comfy.Locale": language})
    try:
        with opened(server, browser, nodes_2=nodes_2) as frontend:
            frontend.open_template("01 Quickstart")
            frontend.page.evaluate(KEEP, [f"Lorasmith_{name}" for name in LINE])
            frontend.run()
            add_widgets(frontend)
            frontend.show_all()
            frontend.page.wait_for_timeout(500)
            frontend.screenshot(f"widgets {language}")
            for name in ("AuditDataset", *WIDGETS):
                frontend.show_node(f"Lorasmith_{name}")
                frontend.screenshot(f"{name} {language}")
            said = frontend.page.evaluate(SHOWN)
            assert len(said) > 60 and letter in "".join(said)
            assert sorted(english(language) & set(said)) == []
            assert frontend.problems == []
    finally:
        server.post("/api/settings", {"Comfy.Locale": "en"})
