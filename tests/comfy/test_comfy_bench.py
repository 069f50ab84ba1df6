"""The test bench in a real ComfyUI: prompts, pictures with and without a LoRA, reports, grids, cures."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import numpy as np
import pytest
from harness.bench_graphs import BASE, SETTINGS, bench_of, card, pixels, suite, write_lora
from harness.comfyui import Server
from harness.graphs import node, photos

pytestmark = pytest.mark.comfy
OWN = {
    "kind": "lorasmith.prompts", "version": 1, "id": "mine", "title": "My own", "purpose": "character",
    "language": "en", "prompts": [
        {"id": "sea", "level": "simple", "text": "photo of {trigger} {class}, on a beach", "concept": "on a beach",
         "check": "on a beach"},
    ],
}  # fmt: skip


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


# -- Test LoRA ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lora(server: Server) -> str:
    """A LoRA that changes something: what it shows does not matter here."""
    return write_lora(server, "bench")


def test_pictures_are_those_of_the_ksampler(server: Server, lora: str) -> None:
    """Same prompt, seed and settings in ComfyUI's own nodes: the same picture to the last bit."""
    _, output = card(server, bench_of(lora, "same"))
    pair = output["lorasmith_test"][0]["groups"][1]["pictures"][1]
    graph = BASE | {
        "lora": node("LoraLoader", model=["base", 0], clip=["base", 1], lora_name=lora, strength_model=1.0,
                     strength_clip=1.0),
        "empty": node("EmptyLatentImage", width=96, height=96, batch_size=1),
    }  # fmt: skip
    for kind, model, clip in (("base", ["base", 0], ["base", 1]), ("made", ["lora", 0], ["lora", 1])):
        graph |= {
            f"yes {kind}": node("CLIPTextEncode", clip=clip, text="photo of ohwx person, smiling"),
            f"no {kind}": node("CLIPTextEncode", clip=clip, text=""),
            f"sample {kind}": node(
                "KSampler", model=model, positive=[f"yes {kind}", 0], negative=[f"no {kind}", 0],
                latent_image=["empty", 0], seed=pair["seed"], steps=4, cfg=4.0, sampler_name="dpmpp_2m",
                scheduler="karras", denoise=1.0,
            ),
            f"decode {kind}": node("VAEDecode", samples=[f"sample {kind}", 0], vae=["base", 2]),
            f"show {kind}": node("PreviewImage", images=[f"decode {kind}", 0]),
        }  # fmt: skip
    shown = server.run(graph)
    for kind in ("base", "made"):
        core = pixels(server, shown[f"show {kind}"]["images"][0])
        assert np.abs(pixels(server, pair[kind]) - core).max() <= 1, kind
    difference = np.abs(pixels(server, pair["made"]) - pixels(server, pair["base"])).mean()
    assert difference > 0.1, "the LoRA changed nothing"


def test_what_was_sampled_is_not_sampled_again(server: Server, lora: str) -> None:
    card(server, bench_of(lora, "first"))
    again, _ = card(server, bench_of(lora, "second"))
    assert "12 of the pictures were known" in again["text"]
    stack = node("Lorasmith_LoraStack", rows=json.dumps({"version": 1, "missing": "refuse", "rows": [
        {"lora": lora, "model": 0.5}]}))  # fmt: skip
    graph = bench_of("None", "third", lora_stack=["stack", 0]) | {"stack": stack}
    weaker, _ = card(server, graph)
    assert "6 of the pictures were known" in weaker["text"], "the base at the same seeds is known"
    other, _ = card(server, bench_of(lora, "fourth", first_seed=9000))
    assert "were known" not in other["text"]


def test_a_report_is_kept_and_opened_again(server: Server, lora: str) -> None:
    first, output = card(server, bench_of(lora, "kept"))
    folder = server.base / "output" / "lorasmith_tests" / "kept"
    assert len(list(folder.glob("*/*.png"))) == 12 and (folder / "report.json").is_file()
    alone = {
        "test": node("Lorasmith_TestLora", **SETTINGS, name="x", report="kept"),
        "show": node("PreviewImage", images=["test", 0]),
        "base": node("PreviewImage", images=["test", 1]),
    }
    shown = server.run(alone)
    assert shown["test"]["lorasmith"][0]["title"] == first["title"]
    assert shown["test"]["lorasmith_test"] == output["lorasmith_test"]
    assert len(shown["show"]["images"]) == len(shown["base"]["images"]) == 6
    assert not (folder.parent / "x").exists()
    gone = json.dumps(server.post("/prompt", {"prompt": {"t": node("Lorasmith_TestLora", **SETTINGS, name="x",
                                                                   report="never")}}))  # fmt: skip
    assert "There is no test 'never' any more" in gone


def test_a_taken_name_gets_a_number_and_wide_pictures_are_wide(server: Server, lora: str) -> None:
    more = {"shapes": "1:1 and 16:9", "per_prompt": 1}
    _, first = card(server, bench_of(lora, "twice", **more))
    _, second = card(server, bench_of(lora, "twice", **more, first_seed=501))
    assert [o["lorasmith_test"][0]["name"] for o in (first, second)] == ["twice", "twice_2"]
    square, wide = first["lorasmith_test"][0]["groups"][0]["pictures"]
    assert pixels(server, square["made"]).shape == (96, 96, 3)
    height, width, _ = pixels(server, wide["made"]).shape
    assert 1.6 < width / height < 1.9 and wide["width"] == width


def test_a_stopped_test_keeps_its_pictures(server: Server, lora: str) -> None:
    long = bench_of(lora, "long", steps=12, first_seed=40, per_prompt=3)
    prompt_id = server.queue(long)
    known = server.base / "user" / "__lorasmith" / "test_pictures"
    before, deadline = set(known.glob("*.png")), time.monotonic() + 120
    while len(set(known.glob("*.png")) - before) < 11 and time.monotonic() < deadline:
        time.sleep(0.05)
    server.post("/interrupt", {})
    entry = server.wait(prompt_id, 30)
    assert server.failure(entry) == "execution_interrupted"
    report = json.loads((server.base / "output/lorasmith_tests/long_stopped/report.json").read_text("utf-8"))
    assert 2 <= len(report["pictures"]) < 9
    rest, _ = card(server, long | {"test": node("Lorasmith_TestLora", **long["test"]["inputs"] | {"name": "whole"})})
    assert re.search(r"(\d+) of the pictures were known", rest["text"])


def test_what_is_missing_is_said(server: Server, lora: str) -> None:
    def said(graph: dict[str, Any]) -> str:
        return server.failure(server.wait(server.queue(graph)))

    assert "There is no LoRA to test" in said(bench_of("None", "no"))
    alone = bench_of(lora, "no")
    del alone["test"]["inputs"]["suite"]
    assert "Connect a Prompt Suite" in said(alone)
    for name in ("model", "vae"):
        graph = bench_of(lora, "no")
        del graph["test"]["inputs"][name]
        assert f"'{name}'" in said(graph)
    assert "does not stay inside" in said(bench_of(lora, "../no"))
    assert not (server.base / "output" / "no").exists()
