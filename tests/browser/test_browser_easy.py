"""The easy mode, used as a newcomer does: from opening ComfyUI to a judged LoRA on the built-in base.

Prints how many clicks and seconds it took. The pictures in ``build/screenshots`` (or ``LORASMITH_SCREENSHOTS``)
are for a person to look at. ``LORASMITH_UPDATE_SCREENSHOTS=1`` also makes the pictures of the guide anew, in
``docs/images``, dark and light. ``LORASMITH_EASY_STEPS`` is how long is trained; with 0 everything is left as the
easy mode chooses it, which is what the numbers in the guide are measured with.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import PACK, Server
from harness.frontend import Frontend
from PIL import Image
from sheet_photos import make_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RUN_MS = 900_000
PAGES = ("photos", "train", "watch", "test")
UPDATE = bool(os.environ.get("LORASMITH_UPDATE_SCREENSHOTS"))
STEPS = int(os.environ.get("LORASMITH_EASY_STEPS", "30"))


class Easy:
    """The tab in the sidebar, and what a user does with it."""

    def __init__(self, frontend: Frontend) -> None:
        self.frontend, self.page, self.clicks = frontend, frontend.page, 0

    def click(self, target: Any) -> None:
        target.click()
        self.clicks += 1

    def open(self) -> None:
        self.click(self.page.locator(".side-bar-button", has=self.page.locator(".pi-sparkles")).first)
        self.page.locator(".lorasmith-easy").wait_for(timeout=30_000)

    @property
    def shown(self) -> Any:
        return self.page.locator(".lorasmith-easy-page:not([hidden])")

    def press(self, text: str) -> None:
        self.click(self.shown.get_by_role("button", name=text, exact=True))

    def says(self, text: str) -> None:
        self.page.locator(".lorasmith-easy").get_by_text(text).first.wait_for(timeout=RUN_MS)

    def theme(self, palette: str) -> None:
        """One of ComfyUI's own colour palettes."""
        self.page.evaluate("(id) => app.extensionManager.setting.set('Comfy.ColorPalette', id)", palette)
        self.page.wait_for_timeout(1200)

    def wide(self, width_px: int) -> None:
        """The sidebar as wide as a user may drag it."""
        self.page.evaluate(
            """(width) => { const panel = document.querySelector(".lorasmith-easy").closest(".p-splitterpanel");
                panel.style.flexBasis = panel.style.width = `${width}px`;
                panel.style.minWidth = "0"; panel.style.flexGrow = "0"; }""",
            width_px,
        )
        self.page.wait_for_timeout(800)

    def cut_off(self) -> list[str]:
        """What a card on the open page hides below its lower edge with no way to scroll there."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(".lorasmith-easy-page:not([hidden]) *")]
                .filter((e) => e.clientHeight && e.scrollHeight > e.clientHeight + 2
                    && ["hidden", "clip"].includes(getComputedStyle(e).overflowY) && !e.closest("svg, .lorasmith-tile")
                    && getComputedStyle(e).position !== "absolute")
                .map((e) => e.className || e.tagName)"""
        )

    def overflow(self) -> list[str]:
        """What of the open page reaches out of the sidebar, or is cut off in it."""
        return self.page.evaluate(
            """() => {
                const body = document.querySelector(".lorasmith-easy-body");
                const right = body.getBoundingClientRect().right + 1;
                const seen = (e) => e.checkVisibility({ contentVisibilityAuto: true });
                const scrolls = (e) => e.closest(".lorasmith-strip, .lorasmith-sheet-grid");
                return [...body.querySelectorAll("*")]
                    .filter((e) => e.getBoundingClientRect().width && e.getBoundingClientRect().right > right)
                    .filter((e) => seen(e) && !scrolls(e)).map((e) => e.className || e.tagName);
            }"""
        )

    def picture(self, name: str) -> None:
        """One of the guide's pictures: the sidebar and what lies beside it."""
        box = {"x": 0, "y": 0, "width": 1120, "height": 1080}
        with Image.open(BytesIO(self.page.screenshot(clip=box))) as picture:
            picture.convert("RGB").save(PACK / "docs" / "images" / f"easy-{name}.jpg", quality=82)

    def widget(self, node_type: str, name: str) -> Any:
        return self.page.evaluate(
            """([type, name]) => app.graph.nodes.find((n) => n.type === "Lorasmith_" + type)
                .widgets.find((w) => w.name === name).value""",
            [node_type, name],
        )


@pytest.fixture
def easy(frontend: Frontend) -> Iterator[Easy]:
    tab = Easy(frontend)
    tab.open()
    yield tab
    frontend.page.keyboard.press("Escape")


def test_from_nothing_to_a_judged_lora(easy: Easy) -> None:
    started = time.monotonic()
    easy.press("Try it with the demo photos")
    easy.shown.locator(".lorasmith-easy-found").wait_for(timeout=RUN_MS)
    assert "photos kept" in easy.shown.inner_text()
    easy.frontend.screenshot(f"easy-photos-{easy.frontend.mode}")
    easy.press("Next: train")
    easy.frontend.screenshot(f"easy-train-{easy.frontend.mode}")
    if STEPS:
        shorten(easy)
    easy.press("Train")
    easy.shown.locator(".lorasmith-train .curve.smooth").wait_for(state="attached", timeout=RUN_MS)
    assert "time left" in easy.shown.inner_text() and "Stop and keep best" in easy.shown.inner_text()
    easy.frontend.screenshot(f"easy-watch-training-{easy.frontend.mode}")
    easy.shown.get_by_role("button", name="Next: test").wait_for(timeout=RUN_MS)
    assert "The LoRA is ready." in easy.shown.inner_text()
    assert easy.shown.locator(".lorasmith-strip-tile img").count() >= 2
    easy.frontend.screenshot(f"easy-watch-{easy.frontend.mode}")
    easy.press("Next: test")
    easy.press("Make test pictures")
    easy.shown.locator(".lorasmith-bench-causes").wait_for(timeout=RUN_MS)
    easy.frontend.page.wait_for_timeout(1500)
    easy.frontend.screenshot(f"easy-test-{easy.frontend.mode}")
    assert easy.shown.locator(".lorasmith-bench-pair").count() >= 4
    assert easy.cut_off() == []
    assert easy.clicks <= 7
    assert easy.frontend.layout_faults() == []
    print(f"\neasy mode, {easy.frontend.mode}: {easy.clicks} clicks, {time.monotonic() - started:.0f} s")
    looks_of_every_page(easy)


def shorten(easy: Easy) -> None:
    """Set what a user leaves alone, so that the test takes a minute."""
    for node, widget, value in (
        ("PlanTraining", "steps", STEPS), ("PlanTraining", "seed", 1 + (easy.frontend.mode == "classic")),
        ("PromptSuite", "most_prompts", 2), ("TestLora", "per_prompt", 2), ("TestLora", "steps", 6),
    ):  # fmt: skip
        easy.frontend.set_widget(f"Lorasmith_{node}", widget, value)


def looks_of_every_page(easy: Easy) -> None:
    """Dark and light, usual and narrow: nothing is cut off."""
    for palette in ("dark", "light"):
        easy.theme(palette)
        for index, name in enumerate(PAGES):
            easy.page.locator(".lorasmith-easy-steps button").nth(index).click()
            easy.page.wait_for_timeout(600)
            if UPDATE and easy.frontend.mode == "nodes 2.0":
                easy.picture(f"{index + 1}-{name}" + ("" if palette == "dark" else "-light"))
            easy.wide(300)
            easy.frontend.screenshot(f"easy-narrow-{name}-{palette}-{easy.frontend.mode}")
            assert easy.overflow() == [], f"{name}, {palette}"
            easy.wide(420)
    easy.theme("dark")


def test_own_photos_own_decision_and_a_reload(easy: Easy, server: Server, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "mine", 6)
    easy.page.locator(".lorasmith-easy-files").set_input_files(sorted(folder.glob("*.*")))
    easy.shown.locator(".lorasmith-easy-found").wait_for(timeout=RUN_MS)
    copied = server.base / "input" / easy.widget("LoadPhotoFolder", "folder")
    assert sorted(p.name for p in copied.iterdir()) == sorted(p.name for p in folder.glob("*.*"))
    easy.shown.locator(".lorasmith-tile", has=easy.page.get_by_text("photo_003.jpg", exact=True)).click()
    easy.page.keyboard.press("x")
    easy.page.wait_for_timeout(500)
    assert '"reject"' in easy.widget("AuditDataset", "overrides")
    shutil.rmtree(copied)


def test_what_is_missing_is_said_before_anything_runs(easy: Easy) -> None:
    easy.press("Check the photos")
    assert "Choose photos first." in easy.shown.inner_text()
    easy.shown.get_by_label("Or a folder with photos").fill("no such folder")
    easy.press("Check the photos")
    easy.says("It did not work: There is no folder")
    of_comfyui = ("400 (Bad Request)", "PromptExecutionError")
    easy.frontend.problems[:] = [p for p in easy.frontend.problems if not any(text in p for text in of_comfyui)]
    easy.click(easy.page.locator(".lorasmith-easy-steps button").nth(1))
    easy.shown.get_by_label("Trigger word").fill("  ")
    easy.press("Train")
    assert "Write a trigger word first" in easy.shown.inner_text()


def test_it_is_used_by_keyboard(easy: Easy) -> None:
    steps = easy.page.locator(".lorasmith-easy-steps button")
    steps.first.focus()
    easy.page.keyboard.press("Tab")
    easy.page.keyboard.press("Enter")
    assert steps.nth(1).get_attribute("aria-current") == "step" and steps.first.get_attribute("aria-current") is None
    outline = steps.nth(1).evaluate("(e) => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
