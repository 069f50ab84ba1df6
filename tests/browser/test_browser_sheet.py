"""The contact sheet on Audit Photos, used as a person uses it, with 200 photos and in both render modes.

The pictures in ``build/screenshots`` (or ``LORASMITH_SCREENSHOTS``) are for a person to look at.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import Server
from harness.frontend import Frontend
from sheet_photos import make_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AUDIT = "Lorasmith_AuditDataset"
MAX_TILES = 80
"""Tiles in the document, of 200: the others are made when they are scrolled to."""
MAX_SCRIPT_MS = 8.0
"""Script time of one frame of scrolling: half of a frame at 60 a second."""


@pytest.fixture(scope="session")
def folders(server: Server) -> dict[str, Path]:
    """Folders of photos in ComfyUI's input folder: 200 of them, and two dozen."""
    root = server.base / "input"
    return {"many": make_folder(root / "many", 200), "few": make_folder(root / "few", 24)}


class Sheet:
    """The contact sheet of the open page, and what a user does with it."""

    def __init__(self, frontend: Frontend, folder: str, crop: bool = False) -> None:
        self.frontend, self.page = frontend, frontend.page
        self.page.evaluate(
            """([folder, crop]) => {
                app.graph.clear();
                const make = (type, x) => {
                    const node = LiteGraph.createNode("Lorasmith_" + type);
                    node.pos = [x, 60];
                    app.graph.add(node);
                    return node;
                };
                const load = make("LoadPhotoFolder", 20);
                load.widgets.find((w) => w.name === "folder").value = folder;
                const audit = make("AuditDataset", 460);
                load.connect(0, audit, 0);
                audit.setSize([900, 860]);
                if (crop) audit.connect(0, make("CropToSubject", 1400), 0);
            }""",
            [folder, crop],
        )
        frontend.show_node(AUDIT)

    def run(self) -> dict[str, Any]:
        """Press Run; what the server told the sheet."""
        for output in self.frontend.run(timeout_s=300).values():
            if "lorasmith_sheet" in output:
                return output["lorasmith_sheet"][0]
        raise AssertionError("the audit said nothing to its sheet")

    def tile(self, name: str) -> Any:
        return self.page.locator(".lorasmith-tile", has=self.page.get_by_text(name, exact=True))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_timeout(100)

    def choose(self, label: str, value: str) -> None:
        self.page.get_by_label(label).select_option(value)
        self.page.wait_for_timeout(200)

    @property
    def counts(self) -> dict[str, int]:
        names = ("all", "kept", "out", "yours")
        return {n: int(self.page.locator(f".lorasmith-chip-{n} b").inner_text()) for n in names}

    @property
    def title(self) -> str:
        return self.page.locator(".lorasmith-head-line").inner_text()

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """What is saved with the workflow."""
        text = self.page.evaluate(
            "(type) => app.graph.nodes.find((n) => n.type === type).serialize().widgets_values.at(-1)", AUDIT
        )
        return json.loads(text)["photos"] if text else []

    @property
    def verdicts(self) -> dict[str, str]:
        return {d["name"]: d["verdict"] for d in self.decisions if "verdict" in d}

    def names(self) -> list[str]:
        """Photos in view, in the order in which they are read."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(".lorasmith-tile")]
                .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
                .map((tile) => tile.querySelector(".lorasmith-tile-name").textContent)"""
        )


@pytest.fixture
def sheet_of(frontend: Frontend, folders: dict[str, Path]) -> Callable[..., Sheet]:
    return lambda folder, **options: Sheet(frontend, folder, **options)


def test_two_hundred_photos_judged_shown_and_scrolled(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    sheet = sheet_of("many")
    assert "No photos yet" in sheet.title
    frontend.screenshot(f"sheet empty {frontend.mode}")
    told = sheet.run()
    kept = sum(photo["keep"] for photo in told["photos"])
    assert len(told["photos"]) == 199 and len(told["unreadable"]) == 1 and 100 < kept < 160
    assert sheet.counts == {"all": 200, "kept": kept, "out": 200 - kept, "yours": 0}
    assert f"{kept} of 200 photos kept" in sheet.title
    frontend.page.wait_for_function("() => document.querySelectorAll('.lorasmith-tile[data-loaded]').length > 9")
    frontend.page.wait_for_timeout(1500)  # crops are asked for when the scrolling rests
    frontend.screenshot(f"sheet of 200 {frontend.mode}")
    assert frontend.page.locator(".lorasmith-box-crop").count() > 5
    assert "Blurry: its" in sheet.tile("photo_004.jpg").inner_text()
    sheet.tile("photo_001.jpg").click()
    measured = scroll(frontend)
    print(f"\n{frontend.mode}: {measured}")
    assert measured["tiles"] <= MAX_TILES
    assert measured["script_ms"] < MAX_SCRIPT_MS
    sheet.press("End")
    frontend.page.wait_for_timeout(500)
    assert "not an image" in sheet.tile("photo_200.jpg").inner_text()
    frontend.screenshot(f"sheet end {frontend.mode}")


def scroll(frontend: Frontend) -> dict[str, float]:
    """150 frames of 60 px: the most tiles that were there, milliseconds of script a frame, frames a second."""
    session = frontend.page.context.new_cdp_session(frontend.page)
    session.send("Performance.enable")

    def script_s() -> float:
        return {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}["ScriptDuration"]

    before = script_s()
    seen = frontend.page.evaluate(
        """async () => {
            const grid = document.querySelector(".lorasmith-grid");
            const frame = () => new Promise(requestAnimationFrame);
            const times = [];
            let tiles = 0;
            for (let i = 0, last = await frame(); i < 150; i++) {
                grid.scrollTop += 60;
                const now = await frame();
                times.push(now - last);
                last = now;
                tiles = Math.max(tiles, grid.querySelectorAll(".lorasmith-tile").length);
            }
            times.sort((a, b) => a - b);
            return { tiles, median_ms: times[75], slow_ms: times[142] };
        }"""
    )
    return seen | {"script_ms": (script_s() - before) * 1000 / 150}


def test_wheel_scrolls_the_sheet_and_not_the_graph(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    sheet = sheet_of("few")
    sheet.run()
    sheet.tile("photo_001.jpg").click()
    before = frontend.page.evaluate("() => [app.canvas.ds.scale, ...app.canvas.ds.offset]")
    frontend.page.mouse.wheel(0, 300)
    frontend.page.wait_for_timeout(400)
    assert frontend.page.evaluate("() => document.querySelector('.lorasmith-grid').scrollTop") > 100
    assert frontend.page.evaluate("() => [app.canvas.ds.scale, ...app.canvas.ds.offset]") == before


def test_keys_decide_and_take_back(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    sheet = sheet_of("few")
    sheet.run()
    before = sheet.counts
    sheet.tile("photo_001.jpg").click()
    sheet.press("x", "ArrowRight", "ArrowRight", "ArrowRight", "k")
    assert sheet.verdicts == {"photo_001.jpg": "reject", "photo_004.jpg": "keep"}
    assert sheet.counts == before | {"yours": 2}  # one more left out, one more kept
    assert "Left out by you" in sheet.tile("photo_001.jpg").inner_text()
    assert "run to apply" in sheet.title
    assert "photo_004.jpg kept" in frontend.page.locator(".lorasmith-spoken").inner_text()
    frontend.screenshot(f"sheet decided {frontend.mode}")
    sheet.press("Control+z")
    assert sheet.verdicts == {"photo_001.jpg": "reject"}
    sheet.press("Control+z")
    assert sheet.verdicts == {}
    sheet.press("Control+y", "Control+Shift+z")
    assert len(sheet.verdicts) == 2
    sheet.press("Home", "Shift+ArrowRight", "Shift+ArrowRight", "x")
    assert all(sheet.verdicts[f"photo_00{number}.jpg"] == "reject" for number in (1, 2, 3))
    sheet.press("Control+a", "Delete")
    assert sheet.verdicts == {}
    assert frontend.page.evaluate("() => app.graph.nodes.length") == 2, "Delete in the sheet removed a node"
    assert frontend.page.locator(".lorasmith-tile-at").get_attribute("aria-selected") == "true"


def test_decisions_survive_runs_limits_reloads_and_the_editors_own_undo(
    sheet_of: Callable[..., Sheet], frontend: Frontend
) -> None:
    sheet = sheet_of("few")
    sheet.run()
    sheet.tile("photo_002.jpg").click()
    sheet.press("k", "ArrowRight", "x")
    mine = {"photo_002.jpg": "keep", "photo_003.jpg": "reject"}
    told = sheet.run()
    assert sheet.verdicts == mine and "run to apply" not in sheet.title
    assert json.loads(told["applied"])["photos"] == sheet.decisions
    frontend.set_widget(AUDIT, "min_side_px", 2000)
    told = sheet.run()
    assert not any(photo["keep"] for photo in told["photos"])
    assert sheet.verdicts == mine and sheet.counts["kept"] == 1
    assert "1 of 24 photos kept" in frontend.page.evaluate(  # what the node handed on
        "(id) => app.nodeOutputs[id].lorasmith[0].title", audit_id(frontend)
    )
    sheet.tile("photo_005.jpg").click()
    sheet.press("k")
    frontend.page.wait_for_timeout(600)
    frontend.page.evaluate("() => app.extensionManager.workflow.activeWorkflow.changeTracker.undo()")
    frontend.page.wait_for_timeout(1500)
    assert sheet.verdicts == mine
    assert sheet.counts["all"] == 24, "the editor's undo emptied the sheet"
    frontend.screenshot(f"sheet after undo {frontend.mode}")
    saved = frontend.page.evaluate("() => app.graph.serialize()")
    frontend.page.reload()
    frontend.page.wait_for_function("() => window.app?.isGraphReady", timeout=60_000)
    frontend.page.wait_for_timeout(1500)
    # ComfyUI complains while it starts, also without this pack.
    frontend.problems[:] = [text for text in frontend.problems if "before initialization" not in text]
    frontend.page.evaluate("(graph) => app.loadGraphData(graph)", saved)
    frontend.page.wait_for_timeout(1000)
    assert sheet.verdicts == mine
    sheet.run()
    assert sheet.counts["kept"] == 1 and sheet.verdicts == mine


def audit_id(frontend: Frontend) -> str:
    return str(frontend.page.evaluate("(type) => app.graph.nodes.find((n) => n.type === type).id", AUDIT))


def test_filter_sort_and_groups(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    sheet = sheet_of("few")
    told = sheet.run()
    blurry = [p["name"] for p in told["photos"] if any(r["code"] == "blurry" for r in p["reasons"])]
    sheet.choose("Filter by reason", "blurry")
    assert sheet.names() == blurry != []
    frontend.page.locator(".lorasmith-chip-kept").click()
    assert "No photo is “Kept” and “Blurry”" in frontend.page.locator(".lorasmith-grid-empty").inner_text()
    frontend.screenshot(f"sheet filter empty {frontend.mode}")
    sheet.choose("Filter by reason", "")
    frontend.page.locator(".lorasmith-chip-all").click()
    sheet.choose("Sort", "score:blur_px")
    scores = {photo["name"]: photo["scores"]["blur_px"] for photo in told["photos"]}
    assert sheet.names()[:6] == sorted(scores, key=lambda name: (scores[name], name))[:6]
    frontend.page.get_by_label("Turn the order round").click()
    assert sheet.names()[0] == max(scores, key=lambda name: scores[name])
    sheet.choose("Sort", "groups")
    first = told["groups"][0]
    assert sheet.names()[0] == first["keeper"]
    assert set(sheet.names()[: len(first["members"])]) == set(first["members"])
    assert "best of group" in sheet.tile(first["keeper"]).first.inner_text()
    frontend.screenshot(f"sheet groups {frontend.mode}")


def test_large_view_and_a_crop_by_hand(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    sheet = sheet_of("few", crop=True)
    sheet.run()
    sheet.tile("photo_001.jpg").click()
    sheet.press("Space")
    zoom = frontend.page.locator("dialog.lorasmith-zoom")
    zoom.wait_for()
    assert "photo_001.jpg" in zoom.inner_text() and "Shorter side" in zoom.inner_text()
    frontend.page.get_by_text("Suggested crop").wait_for(timeout=20_000)
    frontend.screenshot(f"sheet large {frontend.mode}")
    grip = frontend.page.locator(".lorasmith-crop-se").bounding_box()
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    frontend.page.mouse.move(x, y)
    frontend.page.mouse.down()
    frontend.page.mouse.move(x - 200, y - 300, steps=5)
    frontend.page.mouse.up()
    (mine,) = sheet.decisions
    left, top, right, bottom = mine["crop"]
    assert 0 <= left < right < 480 and 0 <= top < bottom < 600
    frontend.screenshot(f"sheet crop {frontend.mode}")
    sheet.press("Alt+ArrowDown")
    assert sheet.decisions[0]["crop"][1] > top
    sheet.press("Control+z", "ArrowRight", "x", "Escape")
    zoom.wait_for(state="hidden")
    assert sheet.verdicts == {"photo_002.jpg": "reject"}
    assert frontend.page.evaluate("() => document.activeElement.className") == "lorasmith-grid"
    sheet.run()
    assert "own" in frontend.reports()["Lorasmith_CropToSubject"], "the crop node did not take the crop"
    assert "your crop" in sheet.tile("photo_001.jpg").inner_text()


def test_faces_shares_and_unjudged_checks_are_drawn(sheet_of: Callable[..., Sheet], frontend: Frontend) -> None:
    """What analyzers add, put into a real answer: this test needs no face models."""
    sheet = sheet_of("few")
    told = sheet.run()
    for photo in told["photos"]:
        photo["boxes"] = [{"kind": "face", "box": [0.3, 0.2, 0.7, 0.6]}]
    bounds = {"wanted_low": 0.2, "wanted_high": 0.5, "text": ""}
    told["stats"] = [
        {"code": "smile", "title": "smiling", "count": 15, "of": 17, "state": "bad", **bounds},
        {"code": "street", "title": "in the street", "count": 0, "of": 0, "state": "not measured", **bounds},
    ]
    frontend.page.evaluate(
        """([id, told]) => {
            const report = { title: "", text: "", tone: "warn" };
            app.graph.getNodeById(id).onExecuted({ lorasmith: [report], lorasmith_sheet: [told] });
        }""",
        [audit_id(frontend), told],
    )
    assert frontend.page.locator(".lorasmith-box-face").count() >= 10
    frontend.page.locator(".lorasmith-head-summary").click()
    details = frontend.page.locator(".lorasmith-head-more")
    assert "15 of 17" in details.inner_text() and "Not measured: in the street" in details.inner_text()
    assert frontend.page.locator(".lorasmith-stat").count() == 1, "what was not measured has no bar"
    details.evaluate("(element) => (element.scrollTop = element.scrollHeight)")
    frontend.page.wait_for_timeout(1000)
    frontend.screenshot(f"sheet faces {frontend.mode}")
    frontend.page.get_by_label("Show faces and crops").click()
    assert frontend.page.locator(".lorasmith-box-face:visible").count() == 0


def test_photos_that_are_gone_are_said_so(
    sheet_of: Callable[..., Sheet], frontend: Frontend, server: Server, folders: dict[str, Path]
) -> None:
    gone = server.base / "input" / f"gone {frontend.mode}"
    shutil.copytree(folders["many"], gone)
    sheet = sheet_of(gone.name)
    told = sheet.run()
    token = told["photos"][180]["token"]
    shutil.rmtree(gone)
    sheet.tile("photo_001.jpg").click()
    sheet.press("End")
    frontend.page.locator(".lorasmith-tile[data-missing]").nth(2).wait_for()
    assert "the photo is gone" in sheet.tile("photo_195.jpg").inner_text()
    frontend.screenshot(f"sheet gone {frontend.mode}")
    assert server.fetch(f"/lorasmith/photos/{token}/tile")[0] == 410
    frontend.problems[:] = [p for p in frontend.problems if "410" not in p]  # the browser's own word for it
