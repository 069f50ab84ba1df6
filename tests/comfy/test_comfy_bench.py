"""The test bench in a real ComfyUI: prompts, pictures with and without a LoRA, reports, grids, cures."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.comfyui import Server
from harness.graphs import node

pytestmark = pytest.mark.comfy
OWN = {
    "kind": "lorasmith.prompts", "version": 1, "id": "mine", "title": "My own", "purpose": "character",
    "language": "en", "prompts": [
        {"id": "sea", "level": "simple", "text": "photo of {trigger} {class}, on a beach", "concept": "on a beach",
         "check": "on a beach"},
    ],
}  # fmt: skip


def suite(name: str = "starter", language: str = "en", **more: Any) -> dict[str, Any]:
    asked = {"trigger": "ohwx", "class_word": "person", "level": "hard"} | more
    return node("Lorasmith_PromptSuite", suite=name, language=language, **asked)


def shown_texts(server: Server, graph: dict[str, Any]) -> list[str]:
    """What core's own text preview shows of the prompts: it runs once for each."""
    graph = {"suite": graph, "show": node("PreviewAny", source=["suite", 1])}
    return server.run(graph)["show"]["text"]


def test_prompts_are_a_list_for_core_nodes(server: Server) -> None:
    texts = shown_texts(server, suite(level="simple"))
    assert texts == [
        "photo of ohwx person, neutral",
        "photo of ohwx person, smiling",
        "photo of ohwx person, on a beach",
    ]
    assert shown_texts(server, suite(level="simple", trigger=""))[0] == "photo of person, neutral"


def test_prompts_in_russian_and_a_limit_of_their_number(server: Server) -> None:
    texts = shown_texts(server, suite("character", "ru", most_prompts=3))
    assert len(texts) == 3
    assert all("ohwx" in text and any("а" <= letter <= "я" for letter in text) for text in texts)


def test_words_of_the_dataset_fill_empty_fields(server: Server) -> None:
    from harness.graphs import photos

    graph = photos() | {
        "caption": node("Lorasmith_CaptionDataset", dataset=["audit", 0], trigger="qwzx", class_word="man"),
        "suite": suite(level="simple", trigger="", class_word="", dataset=["caption", 0]),
        "show": node("PreviewAny", source=["suite", 1]),
    }
    assert server.run(graph)["show"]["text"][1] == "photo of qwzx man, smiling"


def test_the_users_own_suite_and_what_is_wrong_with_one(server: Server) -> None:
    folder = server.base / "user" / "lorasmith" / "suites"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.json").write_text(json.dumps(OWN), encoding="utf-8")
    assert shown_texts(server, suite("mine")) == ["photo of ohwx person, on a beach"]
    broken = OWN | {"title": "", "prompts": [OWN["prompts"][0] | {"text": "", "check": "на пляже"}]}
    (folder / "broken.json").write_text(json.dumps(broken), encoding="utf-8")
    said = json.dumps(server.post("/prompt", {"prompt": {"suite": suite("broken")}}), ensure_ascii=False)
    assert "no title" in said and "the text is empty" in said and "English words" in said
    listed = server.get("/object_info/Lorasmith_PromptSuite")["Lorasmith_PromptSuite"]["input"]["required"]["suite"]
    assert {"character", "style", "object", "starter", "mine", "broken"} <= set(listed[1]["options"])


def test_a_set_that_is_not_there_in_a_language_says_where_it_is(server: Server) -> None:
    said = json.dumps(server.post("/prompt", {"prompt": {"suite": suite("starter", "ru")}}))
    assert "exist in en only" in said
