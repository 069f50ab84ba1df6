"""The training panel on Train LoRA, used as a person uses it, with real trainings of the built-in base.

The pictures in ``build/screenshots`` (or ``LORASMITH_SCREENSHOTS``) are for a person to look at.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from harness.comfyui import Server
from harness.frontend import PACK_NAME, Frontend

from lora_train import starter

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TRAIN = "Lorasmith_TrainLora"
SECONDS = 300_000
"""Of patience, in milliseconds: the machine may be busy."""
CHAIN = (
    *("LoadPhotoFolder", "AuditDataset", "CropToSubject", "CaptionDataset", "LoadBase"),
    *("PlanTraining", "TrainLora"),
)


@pytest.fixture(scope="session")
def few_photos(server: Server) -> str:
    """A folder with six of the demo photos, by its name in ComfyUI's input folder."""
    root = server.base / "input"
    demo, few = root / "lorasmith_demo", root / "few_photos"
    if not demo.is_dir():
        starter.render_demo(demo)
    if not few.is_dir():
        few.mkdir()
        for photo in sorted(demo.glob("good_*.jpg"))[:6]:
            shutil.copy(photo, few)
    return few.name


class Panel:
    """The Quickstart template without what comes after the training, and its panel."""

    def __init__(self, frontend: Frontend, folder: str, name: str, steps: int) -> None:
        self.frontend, self.page, self.name = frontend, frontend.page, f"{name}_{frontend.mode[0]}"
        # An id of its own, as a workflow that somebody made; opened again, a template is the same workflow.
        self.page.evaluate(
            """async (address) => {
                const workflow = await (await fetch(address)).json();
                await app.loadGraphData({ ...workflow, id: crypto.randomUUID() });
            }""",
            f"/api/workflow_templates/{PACK_NAME}/01%20Quickstart.json",
        )
        self.page.wait_for_timeout(500)
        self.page.evaluate(
            """([keep, folder]) => {
                const kept = new Set(keep.map((name) => `Lorasmith_${name}`));
                for (const node of [...app.graph.nodes]) if (!kept.has(node.type)) app.graph.remove(node);
                const find = (type) => app.graph.nodes.find((node) => node.type === `Lorasmith_${type}`);
                find("LoadPhotoFolder").widgets.find(({ name }) => name === "folder").value = folder;
                const train = find("TrainLora");
                for (const [slot, type, at] of [[0, "PreviewAny", 0], [5, "PreviewImage", 300]]) {
                    const after = LiteGraph.createNode(type);
                    after.pos = [train.pos[0] + train.size[0] + 80, train.pos[1] + at];
                    app.graph.add(after);
                    train.connect(slot, after, 0);
                }
            }""",
            [CHAIN, folder],
        )
        frontend.set_widget(TRAIN, "name", self.name)
        frontend.set_widget("Lorasmith_PlanTraining", "steps", steps)
        self.at_last(1.2)

    def at_last(self, scale: float = 1.2) -> None:
        self.frontend.show_node(TRAIN, scale)

    @property
    def root(self) -> Any:
        return self.page.locator(".lorasmith-train")

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name)

    def wait_state(self, *states: str) -> None:
        chosen = ", ".join(f'.lorasmith-train[data-state="{state}"]' for state in states)
        self.page.locator(chosen).wait_for(timeout=SECONDS)

    def step(self) -> int:
        found = re.match(r"Step (\d+) of", self.root.locator(".lorasmith-train-title").inner_text())
        return int(found[1]) if found else -1

    def wait_step(self, least: int) -> None:
        self.page.wait_for_function(
            "(least) => Number(document.querySelector('.lorasmith-train-title')?.innerText.split(' ')[1]) >= least",
            arg=least,
            timeout=SECONDS,
        )

    def points(self) -> int:
        """Points of the smoothed loss as drawn."""
        path = self.root.locator(".curve.smooth").get_attribute("d") or ""
        return len(re.findall(r"[ML]", path))

    def reload(self) -> None:
        """The page anew, with the workflow that it remembers."""
        self.page.reload()
        self.page.wait_for_function("() => window.app?.isGraphReady", timeout=120_000)
        self.page.wait_for_timeout(1500)
        self.at_last()

    def keep(self, name: str) -> None:
        self.page.wait_for_timeout(400)
        self.frontend.screenshot(f"train {name} {self.frontend.mode}")


def test_watch_save_reload_stop(frontend: Frontend, server: Server, few_photos: str) -> None:
    panel = Panel(frontend, few_photos, "watch", steps=50_000)
    assert "Press Run to train" in panel.root.inner_text()
    stop = panel.button("Stop and keep best")
    assert stop.get_attribute("aria-disabled") == "true" and "press Run" in (stop.get_attribute("title") or "")
    panel.keep("empty")

    prompt_id = frontend.queue()
    panel.wait_state("training")
    panel.wait_step(4)
    first = panel.step()
    panel.wait_step(first + 2)
    assert panel.points() > 1
    assert stop.get_attribute("aria-disabled") == "false"
    look_at_samples(panel)
    panel.keep("running")

    panel.button("Save now").click()
    panel.root.locator(".lorasmith-chart-mark.saved").first.wait_for(state="attached", timeout=SECONDS)
    assert f"{panel.name}.safetensors" in frontend.listed_loras()
    assert f"{panel.name}.safetensors" in server.get("/models/loras")

    before = panel.step()
    panel.reload()
    panel.wait_state("training")
    assert panel.step() >= before and panel.points() > 1, "rebuilt while it runs"
    panel.button("Stop and keep best").click()
    entry = server.wait(prompt_id, 120)
    assert entry["status"]["status_str"] == "success", server.failure(entry)
    assert f"{panel.name}.safetensors" in json.dumps(entry["outputs"]), "the graph went on with the LoRA"
    panel.wait_state("stopped")
    frontend.page.locator(".p-toast-message", has_text="Stopped by you").first.wait_for(timeout=10_000)
    assert f"Saved as {panel.name}.safetensors" in panel.root.inner_text()
    panel.keep("stopped")

    ended = panel.root.inner_text()
    panel.reload()
    panel.wait_state("stopped")
    assert panel.root.inner_text() == ended, "rebuilt after the end"
    assert frontend.page.locator(".p-toast-message").count() == 0, "what ended before is no news"
    frontend.problems[:] = [text for text in frontend.problems if "lorasmith" in text.lower()]


def look_at_samples(panel: Panel) -> None:
    """The base's samples are there before the first step; large by a click, and the arrows walk."""
    tiles = panel.root.locator(".lorasmith-strip-tile img")
    tiles.first.wait_for(timeout=SECONDS)
    assert tiles.first.evaluate("(image) => image.complete && image.naturalWidth > 0")
    assert panel.root.locator(".lorasmith-strip-step").first.inner_text() == "base"
    tiles.first.click()
    dialog = panel.page.locator(".lorasmith-lightbox[open]")
    dialog.wait_for()
    first = dialog.get_attribute("aria-label")
    panel.page.keyboard.press("ArrowDown")
    second = dialog.get_attribute("aria-label")
    assert first and second and first != second and "base, without the LoRA" in second
    panel.keep("sample")
    panel.page.keyboard.press("Escape")
    dialog.wait_for(state="detached" if dialog.count() == 0 else "hidden")


def test_planned_end_and_two_nodes_do_not_mix(frontend: Frontend, few_photos: str) -> None:
    panel = Panel(frontend, few_photos, "first", steps=4)
    frontend.page.evaluate(
        """(type) => {
            const train = app.graph.nodes.find((node) => node.type === type);
            const second = LiteGraph.createNode(type);
            second.pos = [train.pos[0], train.pos[1] + 1100];
            app.graph.add(second);
            train.inputs.forEach((input, slot) => {
                const link = app.graph.getLink?.(input.link) ?? app.graph.links[input.link];
                if (link) app.graph.getNodeById(link.origin_id).connect(link.origin_slot, second, slot);
            });
            second.widgets.find(({ name }) => name === "name").value = "second";
        }""",
        TRAIN,
    )
    frontend.run(timeout_s=1800)
    texts = frontend.page.evaluate(
        """(type) => app.graph.nodes.filter((node) => node.type === type)
            .map((node) => node.lorasmithView.element.innerText)""",
        TRAIN,
    )
    assert [f"Saved as {panel.name}" in text for text in texts] == [True, False]
    assert ["Saved as second" in text for text in texts] == [False, True]
    panel.at_last(1.1)
    panel.keep("ended")
    assert all("LoRA trained" in text and "Trained all 4 steps" in text for text in texts)


def test_error_is_on_the_panel(frontend: Frontend, server: Server, few_photos: str) -> None:
    panel = Panel(frontend, few_photos, "error", steps=4)
    frontend.page.evaluate(
        """() => {
            const find = (type) => app.graph.nodes.find((node) => node.type === `Lorasmith_${type}`);
            find("AuditDataset").connect(0, find("TrainLora"), 0);
        }"""
    )
    entry = server.wait(frontend.queue())
    said = server.failure(entry).split(": ", 1)[1]
    panel.wait_state("failed")
    assert panel.root.get_attribute("data-tone") == "bad"
    assert said.splitlines()[0] in panel.root.inner_text()
    panel.page.keyboard.press("Escape")
    panel.keep("failed")
    assert said and "Lorasmith" in json.dumps(entry["prompt"])


def test_long_runs_are_drawn_with_few_points_and_no_spike_is_lost(frontend: Frontend) -> None:
    drawn = frontend.page.evaluate(
        """async (pack) => {
            const load = (name) => import(`/extensions/${pack}/js/${name}.mjs`);
            const { addNews, createTraining, decimated } = await load("train_store");
            const { createTrainView } = await load("train_view");
            const head = { id: "x", state: "training", step: 2000, total: 2000, text: "", report: null };
            const training = createTraining(head);
            for (let step = 1; step <= 2000; step += 1) {
                const loss = step === 1234 ? 9 : 0.1 + 0.01 * Math.sin(step);
                const line = { event: "metric", step, loss, learning_rate: 1e-4 };
                addNews(training, { ...head, from: step - 1, lines: [line] });
            }
            const view = createTrainView({ address: () => "", tell: async () => "", resized() {} });
            document.body.append(view.element);
            view.draw(training);
            const paths = [...view.element.querySelectorAll("path.curve")].map((path) => path.getAttribute("d").length);
            view.element.remove();
            const again = Array(10).fill({ event: "metric", step: 2000, loss: 1 });
            const points = training.loss.map(({ step, raw }) => [step, raw]);
            const kept = decimated(points, 400);
            return {
                paths, kept: kept.length, spike: kept.some(([step]) => step === 1234), count: training.count,
                ordered: kept.every((point, index) => !index || point[0] > kept[index - 1][0]),
                gap: addNews(training, { ...head, from: 2050, lines: [] }),
                twice: addNews(training, { ...head, from: 1990, lines: again }),
                after: training.loss.length,
            };
        }""",
        PACK_NAME,
    )
    assert drawn["kept"] <= 410 and drawn["spike"] and drawn["ordered"]
    assert max(drawn["paths"]) < 410 * 16
    assert drawn["count"] == 2000 and drawn["after"] == 2000, "news that was heard already counts once"
    assert drawn["gap"] is False and drawn["twice"] is True
