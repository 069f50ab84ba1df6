"""The LoRA Stack node as a user meets it: rows, strengths, picker, presets, conflicts, old workflows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from harness.comfyui import Installation, Server
from harness.frontend import Frontend
from PIL import Image
from safetensors.torch import save_file

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NODE = "Lorasmith_LoraStack"
LAYERS = ("down_blocks_0_attentions_0", "up_blocks_0_attentions_0", "up_blocks_0_attentions_1")
TEXT = "lora_te_text_model_encoder_layers_{}_mlp_fc1"


def lora(seed: int, near: int | None = None, width: int = 768, loud: float = 1.0) -> dict[str, torch.Tensor]:
    """A LoRA of rank 4 for the starter, or for a base of another text width; ``near``: much like that seed's."""
    make = torch.Generator().manual_seed(seed)
    old = lora(near) if near is not None else {}
    tensors = {}
    for block in LAYERS:
        for layer, inputs in (("attn1_to_q", 320), ("attn1_to_v", 320), ("attn2_to_k", width)):
            name = f"lora_unet_{block}_transformer_blocks_0_{layer}"
            tensors[f"{name}.lora_down.weight"] = torch.randn(4, inputs, generator=make) * 0.05
            tensors[f"{name}.lora_up.weight"] = torch.randn(320, 4, generator=make) * 0.05 * loud
            tensors[f"{name}.alpha"] = torch.tensor(4.0)
    for layer in (0, 1):
        name = TEXT.format(layer)
        tensors[f"{name}.lora_down.weight"] = torch.randn(4, 768, generator=make) * 0.05
        tensors[f"{name}.lora_up.weight"] = torch.randn(3072, 4, generator=make) * 0.05
    return {name: old[name] * 0.9 + value * 0.1 if name in old and "alpha" not in name else value
            for name, value in tensors.items()}  # fmt: skip


def cover(colour: tuple[int, int, int], shade: int) -> bytes:
    picture = Image.linear_gradient("L").rotate(shade).resize((320, 420)).convert("RGB")
    picture = Image.blend(picture, Image.new("RGB", picture.size, colour), 0.6)
    out = BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def write_loras(folder: Path) -> None:
    (folder / "people").mkdir(parents=True, exist_ok=True)
    (folder / "styles").mkdir(exist_ok=True)
    thumbnail = "data:image/jpeg;base64," + base64.b64encode(cover((180, 90, 60), 0)).decode()
    anna = {"modelspec.trigger_phrase": "ohwx person", "modelspec.thumbnail": thumbnail}
    save_file(lora(1), folder / "people" / "anna_v2.safetensors", anna)
    save_file(lora(2), folder / "people" / "ben.safetensors", {"trained_words": '["bnx man", "smiling", "portrait"]'})
    save_file(lora(3), folder / "styles" / "ink_wash.safetensors")
    (folder / "styles" / "ink_wash.preview.jpg").write_bytes(cover((40, 60, 160), 90))
    facts = {"activation text": "ink wash painting", "preferred weight": 0.6}
    (folder / "styles" / "ink_wash.json").write_text(json.dumps(facts))
    save_file(lora(4, near=3), folder / "styles" / "ink_wash_epoch9.safetensors")
    save_file(lora(5, loud=9.0), folder / "styles" / "a_very_long_name_of_an_oil_painting_style_v3_final.safetensors")
    save_file(lora(6, width=2048), folder / "for_another_base_sdxl.safetensors")
    name = "lora_unet_up_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    loha = {f"{name}.hada_w{n}_{s}": torch.randn(*shape) * 0.1 for n in (1, 2)
            for s, shape in (("a", (320, 4)), ("b", (4, 320)))}  # fmt: skip
    save_file(loha, folder / "styles" / "loha_texture.safetensors")
    (folder / "broken.safetensors").write_bytes(b"\x80\x02}q\x00.")


@pytest.fixture(scope="module")
def server(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(comfyui, tmp_path_factory.mktemp("comfyui with loras"))
    write_loras(own.base / "models" / "loras")
    try:
        own.start()
        yield own
    finally:
        own.stop()


BUILD = """([type, rows, withModel]) => {
    app.graph.clear();
    const add = (name, x, y) => {
        const node = LiteGraph.createNode(name);
        node.pos = [x, y];
        app.graph.add(node);
        return node;
    };
    const stack = add(type, 300, 150);
    const words = add("PreviewAny", 1050, 150);
    const text = add("PreviewAny", 1050, 420);
    stack.connect(1, words, 0);
    stack.connect(2, text, 0);
    if (withModel) {
        const base = add("Lorasmith_LoadBase", 300, 900);
        const apply = add("Lorasmith_ApplyLoraStack", 700, 900);
        stack.connect(0, apply, apply.inputs.findIndex((i) => i.name === "lora_stack"));
        base.connect(0, apply, 0);
        base.connect(1, apply, 1);
        const encode = add("CLIPTextEncode", 1050, 700);
        const vae = add("VAEDecode", 1750, 700);
        const sample = add("KSampler", 1400, 700);
        const empty = add("EmptyLatentImage", 1050, 950);
        const show = add("PreviewImage", 1950, 700);
        apply.connect(1, encode, 0);
        apply.connect(0, sample, 0);
        encode.connect(0, sample, 1);
        encode.connect(0, sample, 2);
        empty.connect(0, sample, 3);
        sample.connect(0, vae, 0);
        base.connect(2, vae, 1);
        vae.connect(0, show, 0);
        empty.widgets.find((w) => w.name === "width").value = 96;
        empty.widgets.find((w) => w.name === "height").value = 96;
        sample.widgets.find((w) => w.name === "steps").value = 2;
        sample.widgets.find((w) => w.name === "control_after_generate").value = "fixed";
    }
    if (rows) stack.widgets.find((w) => w.name === "rows").value = JSON.stringify({version: 1, rows});
}"""


class Stack:
    """The node on the page."""

    def __init__(self, frontend: Frontend, rows: list[dict[str, Any]] | None = None, with_model: bool = False) -> None:
        self.frontend = frontend
        self.page: Any = frontend.page
        self.page.evaluate(BUILD, [NODE, rows, with_model])
        frontend.show_node(NODE, 1.2)
        self.root = self.page.locator(".lorasmith-stack-root")
        self.root.wait_for()
        self.popup = self.page.locator(".lorasmith-stack-popup")
        self.page.wait_for_timeout(400)

    def row(self, words: str) -> Any:
        return self.root.locator(".lorasmith-stack-row", has_text=words)

    def rows(self) -> list[dict[str, Any]]:
        """What the workflow would be saved with."""
        said = self.page.evaluate(
            "(type) => app.graph.serialize().nodes.find((n) => n.type === type).widgets_values", NODE
        )
        return json.loads(said[0])["rows"]

    def names(self) -> list[str]:
        return [Path(row["lora"].replace("\\", "/")).stem for row in self.rows()]

    def sent(self) -> dict[str, Any]:
        """What would be sent to run."""
        (node,) = [n for n in self.frontend.to_prompt().values() if n["class_type"] == NODE]
        return json.loads(node["inputs"]["rows"])

    def add(self, text: str, keep: str = "") -> None:
        self.root.get_by_role("button", name="Add LoRA").click()
        self.popup.locator(".lorasmith-stack-option").first.wait_for()
        self.page.keyboard.type(text)
        self.page.wait_for_timeout(300)
        if keep:
            self.keep(keep, move=False)
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(500)

    def strength(self, words: str) -> Any:
        return self.row(words).get_by_role("spinbutton", name="Strength", exact=True)

    def open_menu(self, words: str, entry: str) -> None:
        self.row(words).get_by_role("button", name="More").click()
        self.popup.get_by_text(entry, exact=True).click()
        self.page.wait_for_timeout(200)

    def reload(self) -> None:
        self.page.evaluate("async () => app.loadGraphData(JSON.parse(JSON.stringify(app.graph.serialize())))")
        self.page.wait_for_timeout(700)

    def keep(self, name: str, move: bool = True) -> None:
        if move:
            self.frontend.show_node(NODE, 1.2)
        self.frontend.screenshot(f"stack {name} {self.frontend.mode}")


def test_rows_from_an_empty_node(frontend: Frontend) -> None:
    stack = Stack(frontend)
    stack.keep("1 empty")
    stack.root.get_by_role("button", name="Add LoRA").click()
    stack.popup.locator("img").first.wait_for()
    stack.page.wait_for_timeout(400)
    stack.keep("2 picker", move=False)
    stack.page.keyboard.press("Escape")
    stack.add("anna")
    stack.add("ink was", keep="3 search")
    stack.add("long name")
    stack.page.wait_for_timeout(700)
    stack.keep("4 three rows")
    rows = stack.rows()
    assert stack.names() == ["anna_v2", "ink_wash", "a_very_long_name_of_an_oil_painting_style_v3_final"]
    assert rows[0]["words"] == ["ohwx person"] and rows[1]["model"] == 0.6, "what the file and its page recommend"
    assert len({row["id"] for row in rows}) == 3
    assert "Starter" in stack.row("anna").inner_text()
    assert stack.row("anna").locator("img").evaluate("(img) => img.naturalWidth") > 0
    overflow = stack.root.evaluate("(e) => e.firstChild.scrollWidth - e.clientWidth")
    assert overflow <= 0, "something is wider than the node"


ROWS = [
    {"id": "a", "lora": "people/anna_v2.safetensors", "model": 0.8, "words": ["ohwx person"]},
    {"id": "b", "lora": "people/ben.safetensors", "model": 0.5},
    {"id": "c", "lora": "styles/ink_wash.safetensors", "model": 1.0},
]


def test_strengths_by_key_wheel_drag_and_typing(frontend: Frontend) -> None:
    stack = Stack(frontend, ROWS)
    page = stack.page
    stack.strength("anna").click()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    assert stack.rows()[0]["model"] == 0.7
    page.keyboard.press("Alt+ArrowUp")
    assert stack.rows()[0]["model"] == 0.71
    order = []
    for _ in range(3):
        order.append(page.evaluate("() => document.activeElement.closest('li')?.dataset.id"))
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.matches('[role=spinbutton]')"):
                break
    assert order == ["a", "b", "c"], "Tab leads from strength to strength"
    scale = page.evaluate("() => app.canvas.ds.scale")
    stack.strength("ben").click()
    page.mouse.wheel(0, -100)
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(200)
    assert stack.rows()[1]["model"] == 0.6
    assert page.evaluate("() => app.canvas.ds.scale") == scale, "the canvas must not zoom"
    stack.strength("ink").fill("-0,35")
    page.keyboard.press("Enter")
    assert stack.rows()[2]["model"] == -0.35
    stack.strength("ink").fill("much")
    page.keyboard.press("Enter")
    assert stack.rows()[2]["model"] == -0.35
    box = stack.row("ben").locator(".lorasmith-stack-scale").first.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    assert stack.rows()[1]["model"] == 1.0
    stack.keep("5 strengths")


def test_rows_move_copy_switch_lock_and_go(frontend: Frontend) -> None:
    stack = Stack(frontend, ROWS)
    page = stack.page
    start, end = (stack.row(n).locator(".lorasmith-stack-handle").bounding_box() for n in ("anna", "ink"))
    page.mouse.move(start["x"] + 6, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 6, end["y"] + end["height"] + 4, steps=10)
    stack.frontend.screenshot(f"stack 6 dragging {frontend.mode}")
    page.mouse.up()
    assert [row["id"] for row in stack.rows()] == ["b", "c", "a"]
    stack.row("anna").locator(".lorasmith-stack-handle").focus()
    page.keyboard.press("Alt+ArrowUp")
    assert [row["id"] for row in stack.rows()] == ["b", "a", "c"]
    stack.row("ben").get_by_role("button", name="More").click()
    page.wait_for_timeout(200)
    stack.keep("7 row menu", move=False)
    stack.popup.get_by_text("Duplicate").click()
    rows = stack.rows()
    assert [row["lora"] for row in rows[:2]] == ["people/ben.safetensors"] * 2 and rows[0]["id"] != rows[1]["id"]
    stack.root.locator(".lorasmith-stack-row").nth(1).get_by_role("button", name="More").click()
    stack.popup.get_by_text("Remove").click()
    stack.row("ink").get_by_role("switch").click()
    stack.open_menu("anna", "Lock strength")
    stack.open_menu("anna", "Text strength of its own")
    stack.row("anna").get_by_role("spinbutton", name="Text strength").fill("0.4")
    page.keyboard.press("Enter")
    rows = {row["id"]: row for row in stack.rows()}
    assert not rows["c"]["on"] and rows["a"]["locked"] and rows["a"]["text"] == 0.4
    assert [row["id"] for row in stack.sent()["rows"]] == ["b", "a"], "a row that is off is not sent"
    assert "locked" not in json.dumps(stack.sent()), "a lock must not make anything run again"
    stack.row("ben").get_by_role("button", name="smiling").click()
    page.wait_for_timeout(400)
    stack.keep("8 switched")
    assert stack.rows()[0]["words"] == ["smiling"]
    before = stack.rows()
    stack.reload()
    assert stack.rows() == before, "saved and opened again"
    stack.root.get_by_role("switch", name="All rows").click()
    assert not any(row["on"] for row in stack.rows())


def test_undo_is_the_editors_own(frontend: Frontend) -> None:
    stack = Stack(frontend, ROWS)
    page = stack.page
    page.evaluate("() => app.extensionManager.workflow.activeWorkflow.changeTracker.captureState?.()")
    stack.row("ink").get_by_role("switch").click()
    page.wait_for_timeout(300)
    stack.strength("ben").click()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(300)
    assert (stack.rows()[1]["model"], stack.rows()[2]["on"]) == (0.55, False)
    page.evaluate("() => document.activeElement.blur()")
    for expected in ((0.5, False), (0.5, True)):
        page.evaluate("() => app.extensionManager.command.execute('Comfy.Undo')")
        page.wait_for_timeout(700)
        assert (stack.rows()[1]["model"], stack.rows()[2]["on"]) == expected


def test_blocks(frontend: Frontend) -> None:
    stack = Stack(frontend, ROWS)
    stack.row("ink").get_by_role("button", name="More").click()
    assert stack.popup.get_by_role("menuitemcheckbox", name="Style blocks only").is_disabled()
    stack.popup.get_by_text("Set the blocks").click()
    stack.page.wait_for_timeout(200)
    stack.popup.get_by_label("te1.0").fill("0.5")
    stack.popup.get_by_label("input_blocks.1", exact=True).fill("0")
    stack.page.wait_for_timeout(200)
    stack.keep("9 blocks", move=False)
    stack.page.keyboard.press("Escape")
    assert stack.rows()[2]["blocks"] == {"te1.0": 0.5, "input_blocks.1": 0}
    assert "2 blocks set" in stack.row("ink").inner_text()


def test_what_does_not_fit_together(frontend: Frontend) -> None:
    rows = [
        *ROWS[:1],
        {"id": "e", "lora": "styles/ink_wash_epoch9.safetensors", "model": 1.0},
        {"id": "s", "lora": "styles/ink_wash.safetensors", "model": 1.0},
        {"id": "x", "lora": "for_another_base_sdxl.safetensors", "model": 1.0},
        {"id": "h", "lora": "styles/loha_texture.safetensors", "model": 1.0},
        {"id": "k", "lora": "broken.safetensors", "model": 1.0},
    ]
    stack = Stack(frontend, rows, with_model=True)
    stack.row("ink_wash").get_by_text("nearly the same change").first.wait_for()
    stack.page.wait_for_timeout(500)
    stack.keep("10 conflicts")
    assert "Made for SDXL, not for Starter" in stack.row("for_another").inner_text()
    assert "% fits" in stack.row("for_another").inner_text()
    assert "LoHa" in stack.row("loha").inner_text()
    assert stack.row("broken").get_attribute("data-state") == "bad"


def test_suggested_strengths_are_taken_and_undone(frontend: Frontend) -> None:
    rows = [{"id": str(n), "lora": f"styles/ink_wash{end}.safetensors", "model": 1.0} for n, end in
            enumerate(("", "_epoch9"))]  # fmt: skip
    stack = Stack(frontend, [*rows, {**ROWS[0], "model": 1.0, "locked": True}])
    take = stack.root.get_by_role("button", name="Take suggested")
    take.wait_for()
    stack.page.wait_for_timeout(300)
    stack.keep("11 suggested")
    take.click()
    taken = {row["id"]: row["model"] for row in stack.rows()}
    assert taken["0"] < 1 and taken["1"] < 1 and taken["a"] == 1.0, "a locked row stays"
    stack.page.wait_for_timeout(500)
    stack.keep("12 taken")
    assert "Too strong" not in stack.root.inner_text(), "what was suggested fits"
    stack.root.get_by_role("button", name="Undo").click()
    assert {row["model"] for row in stack.rows()} == {1.0}


def test_missing_file_is_red_refused_or_skipped(frontend: Frontend) -> None:
    stack = Stack(frontend, [{"id": "m", "lora": "people/anna_v1.safetensors"}, ROWS[1]])
    stack.row("anna_v1").get_by_text("This file is gone").wait_for()
    stack.keep("13 missing")
    assert stack.row("anna_v1").get_attribute("data-state") == "bad"
    said = json.dumps(frontend.server.post("/prompt", {"prompt": frontend.to_prompt()}))
    assert "There is no LoRA named 'people/anna_v1.safetensors'" in said and "anna_v2" in said
    stack.root.get_by_role("button", name="More").first.click()
    stack.popup.get_by_text("Skip missing files").click()
    assert stack.row("anna_v1").get_attribute("data-state") == "skipped"
    outputs = frontend.run()
    assert "<lora:ben:0.5>" in json.dumps(outputs) and "anna" not in json.dumps(outputs)
    stack.row("anna_v1").get_by_role("button", name="Use anna_v2").click()
    assert stack.names() == ["anna_v2", "ben"]


def test_presets_and_text(frontend: Frontend) -> None:
    stack = Stack(frontend, ROWS)
    name = f"my stack {frontend.mode}"
    stack.root.get_by_role("button", name="Presets").click()
    stack.popup.get_by_text("Save these rows").click()
    stack.page.keyboard.type(name)
    stack.page.keyboard.press("Enter")
    stack.page.wait_for_timeout(400)
    stack.root.get_by_role("button", name="More").first.click()
    stack.popup.get_by_text("Remove all rows").click()
    assert stack.rows() == []
    stack.root.get_by_role("button", name="More").first.click()
    stack.popup.get_by_text("Paste <lora").click()
    stack.page.wait_for_timeout(100)
    stack.page.keyboard.type("a portrait <lora:ben:0.7> of <lora:nobody:1>")
    stack.popup.get_by_role("button", name="Add these").click()
    stack.popup.get_by_text("There is no LoRA named 'nobody'").wait_for()
    frontend.problems[:] = [text for text in frontend.problems if "/from_text" not in text]  # the refusal itself
    stack.keep("14 text refused", move=False)
    stack.popup.locator("textarea").fill("a portrait <lora:ben:0.7> of <lora:ink_wash:unet=0.4:te=0>")
    stack.popup.get_by_role("button", name="Add these").click()
    stack.page.wait_for_timeout(400)
    assert [(row["model"], row["text"]) for row in stack.rows()] == [(0.7, None), (0.4, 0)]
    stack.root.get_by_role("button", name="Presets").click()
    stack.page.wait_for_timeout(200)
    stack.keep("15 presets", move=False)
    stack.popup.get_by_text(name).click()
    stack.page.wait_for_timeout(400)
    assert [row["model"] for row in stack.rows()] == [0.8, 0.5, 1.0]


def test_running_again_computes_nothing_until_something_counts(frontend: Frontend, server: Server) -> None:
    stack = Stack(frontend, ROWS, with_model=True)
    outputs = frontend.run()
    said = json.dumps(outputs)
    assert "ohwx person" in said and "<lora:anna_v2:0.8> <lora:ben:0.5> <lora:ink_wash:1>" in said
    assert "3 LoRAs applied" in frontend.reports()["Lorasmith_ApplyLoraStack"]
    stack.open_menu("ben", "Lock strength")
    stack.open_menu("ink", "Duplicate")
    stack.root.locator(".lorasmith-stack-row").last.get_by_role("switch").click()
    ids = {n: node for n, node in frontend.to_prompt().items()}
    entry = server.wait(frontend.queue())
    cached = next(detail["nodes"] for name, detail in entry["status"]["messages"] if name == "execution_cached")
    assert set(ids) == set(cached), "a lock and a row that is off are nobody's business but the editor's"
    stack.strength("ben").click()
    stack.page.keyboard.press("ArrowUp")
    entry = server.wait(frontend.queue())
    cached = next(detail["nodes"] for name, detail in entry["status"]["messages"] if name == "execution_cached")
    ran = {ids[n]["class_type"] for n in set(ids) - set(cached)}
    assert {NODE, "Lorasmith_ApplyLoraStack", "KSampler"} <= ran and "Lorasmith_LoadBase" not in ran
    assert entry["status"]["status_str"] == "success"
    stack.keep("16 run")


OLD = {"id": 7, "type": NODE, "pos": [300, 150], "size": [300, 106], "flags": {}, "order": 0, "mode": 0,
       "inputs": [{"name": "lora_stack", "shape": 7, "type": "LORA_STACK", "link": None},
                  {"name": "lora_name", "type": "COMBO", "widget": {"name": "lora_name"}, "link": None},
                  {"name": "model_strength", "type": "FLOAT", "widget": {"name": "model_strength"}, "link": None},
                  {"name": "clip_strength", "type": "FLOAT", "widget": {"name": "clip_strength"}, "link": None}],
       "outputs": [{"name": "lora_stack", "type": "LORA_STACK", "links": None}], "properties": {}}  # fmt: skip


@pytest.mark.parametrize("name", ["people/anna_v2.safetensors", "None"])
def test_a_workflow_from_before_there_were_rows_opens(frontend: Frontend, name: str) -> None:
    graph = {"id": "00000000-0000-0000-0000-000000000000", "revision": 0, "last_node_id": 7, "last_link_id": 0,
             "nodes": [{**OLD, "widgets_values": [name, 0.75, 0.5]}], "links": [], "groups": [], "config": {},
             "extra": {}, "version": 0.4}  # fmt: skip
    frontend.page.evaluate("async (graph) => app.loadGraphData(graph)", graph)
    frontend.show_node(NODE, 1.2)
    frontend.page.wait_for_timeout(600)
    frontend.screenshot(f"stack 17 old {Path(name).stem} {frontend.mode}")
    (node,) = frontend.page.evaluate("() => app.graph.serialize().nodes")
    rows = json.loads(node["widgets_values"][0])["rows"]
    assert node["size"][0] >= 440, "the old node was too narrow for a row"
    assert [(r["lora"], r["model"], r["text"]) for r in rows] == ([(name, 0.75, 0.5)] if name != "None" else [])
    assert not {i["name"] for i in node["inputs"]} & {"lora_name", "model_strength", "clip_strength"}
    assert len(node["widgets_values"]) == 1


def test_an_old_graph_sent_as_it_is_runs(server: Server) -> None:
    old = {"class_type": NODE, "inputs": {"lora_name": "people/ben.safetensors", "model_strength": 0.7,
                                          "clip_strength": 0.2}}  # fmt: skip
    show = {"class_type": "PreviewAny", "inputs": {"source": ["1", 2]}}
    assert "<lora:ben:unet=0.7:te=0.2>" in json.dumps(server.run({"1": old, "2": show}))
    wrong = {"class_type": NODE, "inputs": {"lora_nam": "people/ben.safetensors"}}
    said = server.failure(server.wait(server.queue({"1": wrong, "2": show})))
    assert "LoRA Stack has no input 'lora_nam'" in said


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "people/../../x.safetensors", "", "nobody"])
def test_a_picture_is_of_a_listed_lora_or_of_none(server: Server, name: str) -> None:
    from urllib.parse import quote

    assert server.fetch(f"/lorasmith/stack/picture?name={quote(name)}")[0] == 404
    said = server.post("/lorasmith/stack/info", {"names": [name]})[name]
    assert said["missing"] and "There is no LoRA named" in said["problem"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", "", " ", "x" * 99])
def test_a_preset_stays_in_its_folder(server: Server, name: str) -> None:
    rows = json.dumps({"rows": [{"lora": "people/ben.safetensors"}]})
    for action in ("save", "load", "delete"):
        assert "error" in server.post("/lorasmith/stack/presets", {"action": action, "name": name, "rows": rows})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "is no JSON"),
        ('{"rows": 5}', "must be a list"),
        ('{"rows": [7]}', "Row 1: 7 is no row"),
        ('{"rows": [{"lora": "people/ben.safetensors", "model": "much"}]}', "which is no number"),
        ('{"rows": [{"lora": "people/ben.safetensors", "model": 1e9}]}', "use -20 to 20"),
        ('{"rows": [{"lora": "people/ben.safetensors", "model": NaN}]}', "which is no number"),
        ('{"rows": [{"lora": "people/ben.safetensors", "blocks": {"te1.0": 99}}]}', "use -4 to 4"),
        ('{"rows": [{"lora": "people/ben.safetensors", "words": [3]}]}', "use a list of texts"),
        ('{"rows": [{"lora": "../../secret.safetensors"}]}', "There is no LoRA named"),
    ],
)
def test_rows_that_cannot_be_meant_are_refused_in_words(server: Server, value: str, words: str) -> None:
    show = {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}}
    said = server.post("/prompt", {"prompt": {"1": {"class_type": NODE, "inputs": {"rows": value}}, "2": show}})
    assert words in said["node_errors"]["1"]["errors"][0]["details"]


def test_a_text_that_means_several_files_is_refused(server: Server) -> None:
    folder = server.base / "models" / "loras"
    for place in ("x", "y"):
        (folder / place).mkdir(exist_ok=True)
        save_file(lora(9), folder / place / "twin.safetensors")
    said = server.post("/lorasmith/stack/from_text", {"text": "<lora:twin:1> <lora:ben:x>"})["error"]
    assert "2 LoRAs are called so" in said and "'x' is no strength" in said
    (row,) = server.post("/lorasmith/stack/from_text", {"text": "<LORA:y/twin:0.5:0.25>"})["rows"]
    assert (row["lora"], row["model"], row["text"]) == ("y/twin.safetensors", 0.5, 0.25)
    rows = json.dumps({"rows": [row]})
    assert server.post("/lorasmith/stack/to_text", {"rows": rows})["text"] == "<lora:y/twin:unet=0.5:te=0.25>"
    for place in ("x", "y"):
        (folder / place / "twin.safetensors").unlink()
