"""What the nodes say, in the language of the user: the settings' choice, else the page's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_photos import portrait, save
from harness.comfyui import Server
from harness.graphs import node

pytestmark = pytest.mark.comfy


@pytest.fixture(scope="module")
def folder(server: Server) -> str:
    for i in range(3):
        save(portrait(i, (512, 640)), server.base / "input" / "spoken" / f"photo {i}.jpg")
    return "spoken"


@pytest.fixture()
def settings(server: Server) -> Iterator[Path]:
    """The user's settings file; afterwards the server speaks English again, as the other tests expect."""
    path = server.base / "user" / "default" / "comfy.settings.json"
    before = path.read_text("utf-8") if path.is_file() else None
    yield path
    if before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(before, "utf-8")
    server.post("/lorasmith/language", {"locale": "en"})


def titles(server: Server, folder: str, value: int) -> dict[str, Any]:
    """Report and contact sheet of an audit; ``value`` keeps ComfyUI from answering out of its memory."""
    graph = {
        "load": node("Lorasmith_LoadPhotoFolder", folder=folder),
        "audit": node("Lorasmith_AuditDataset", dataset=["load", 0], min_side_px=value),
    }
    outputs = server.run(graph)["audit"]
    return {"report": outputs["lorasmith"][0]["title"], "sheet": outputs["lorasmith_sheet"][0]}


def test_the_page_tells_its_language_and_the_settings_have_the_last_word(
    server: Server, folder: str, settings: Path
) -> None:
    assert server.post("/lorasmith/language", {"locale": "ru-RU"}) == {"language": "ru"}
    russian = titles(server, folder, 601)
    assert russian["report"] == "Оставлено 0 из 3 фотографий"
    reason = russian["sheet"]["photos"][0]["reasons"][0]
    assert reason["text"].startswith("Слишком маленькая: короткая сторона 512 px, нужно 601.")
    assert all(row["why"] and row["text"].endswith(row["why"]) for row in russian["sheet"]["not_judged"])

    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"Comfy.Locale": "zh"}), "utf-8")
    assert server.post("/lorasmith/language", {"locale": "ru"}) == {"language": "zh"}
    assert titles(server, folder, 602)["report"] == "3 张照片中保留 0 张"

    settings.write_text("{half", "utf-8")
    assert server.post("/lorasmith/language", {"locale": "ja"}) == {"language": "en"}, "no language of ours"


def test_errors_speak_too(server: Server, settings: Path) -> None:
    server.post("/lorasmith/language", {"locale": "ru"})
    graph = {
        "load": node("Lorasmith_LoadPhotoFolder", folder="nowhere"),
        "audit": node("Lorasmith_AuditDataset", dataset=["load", 0]),
    }
    refused = server.post("/prompt", {"prompt": graph})["node_errors"]["load"]["errors"][0]["details"]
    assert refused.startswith("folder - Папки «") and refused.endswith("внутри input или полный путь.")
