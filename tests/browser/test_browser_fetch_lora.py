"""The Fetch LoRA node as a user meets it, with a local server in the place of both hubs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import Installation, Server
from harness.frontend import Frontend
from harness.hub_pack import lead_to, place_hub_pack
from hub_server import R2, HubServer, lora_file, running, sha256
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LORA = lora_file(300_000)
NODE = "Lorasmith_FetchLora"
PICTURE = "image.civitai.com/anna.jpg"


@pytest.fixture(scope="module")
def server(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = Server(comfyui, tmp_path_factory.mktemp("comfyui with hubs"))
    place_hub_pack(own.base)
    try:
        own.start()
        yield own
    finally:
        own.stop()


@pytest.fixture
def hubs(server: Server) -> Iterator[HubServer]:
    with running() as hubs:
        lead_to(server, hubs)
        picture = BytesIO()
        Image.linear_gradient("L").resize((400, 600)).convert("RGB").save(picture, "JPEG")
        hubs.civitai(LORA, version={"images": [{"url": f"https://{PICTURE}", "nsfwLevel": 1, "type": "image"}]})
        hubs.file(PICTURE, picture.getvalue(), "image/jpeg")
        yield hubs


@pytest.fixture(autouse=True)
def empty_folder(server: Server) -> None:
    folder = server.base / "models" / "loras"
    for path in folder.iterdir() if folder.is_dir() else ():
        path.unlink()


class Card:
    """The node on the page."""

    def __init__(self, frontend: Frontend) -> None:
        self.frontend = frontend
        self.page: Any = frontend.page
        self.page.evaluate(
            """(type) => {
                app.graph.clear();
                const node = LiteGraph.createNode(type);
                node.pos = [300, 150];
                app.graph.add(node);
                const show = LiteGraph.createNode("PreviewAny");
                show.pos = [820, 150];
                app.graph.add(show);
                node.connect(1, show, 0);
            }""",
            NODE,
        )
        frontend.show_node(NODE, 1.2)
        self.root = self.page.locator(".lorasmith-fetch")
        self.root.wait_for()

    def look_up(self, link: str) -> None:
        self.root.get_by_label("Link to a LoRA").fill(link)
        self.root.get_by_role("button", name="Look up").click()

    def value(self) -> dict[str, str]:
        (node,) = [n for n in self.frontend.to_prompt().values() if n["class_type"] == NODE]
        return json.loads(node["inputs"]["lora"])

    def says(self, words: str) -> None:
        self.root.locator(".lorasmith-fetch-message", has_text=words).wait_for(timeout=10_000)

    def reload(self) -> None:
        self.page.evaluate("async () => app.loadGraphData(JSON.parse(JSON.stringify(app.graph.serialize())))")
        self.page.wait_for_timeout(500)

    def keep(self, name: str) -> None:
        self.frontend.show_node(NODE, 1.2)
        self.frontend.screenshot(f"fetch {name} {self.frontend.mode}")


def refused_prompt(frontend: Frontend) -> str:
    """What the user is told when the graph is refused before it runs."""
    return json.dumps(frontend.server.post("/prompt", {"prompt": frontend.to_prompt()}))


def test_look_download_reload_and_run(frontend: Frontend, server: Server, hubs: HubServer) -> None:
    card = Card(frontend)
    card.keep("empty")
    assert card.value() == {"link": "", "name": "", "sha256": ""}
    assert "Running a workflow never downloads" in refused_prompt(frontend)
    assert hubs.seen == [], "nothing is asked before a button is pressed"

    card.look_up("https://civitai.com/models/5/anna?modelVersionId=7&token=SECRETSECRET")
    card.root.get_by_text("Scanned clean").wait_for()
    frontend.page.wait_for_timeout(500)
    card.keep("found")
    shown = card.root.inner_text()
    for words in ("Anna", "v2 · by someone", "SD 1.5", "1.2 MB", "commercial use: Image", "ohwx person"):
        assert words in shown
    assert card.root.locator("img").evaluate("(img) => img.naturalWidth") > 0
    assert not hubs.asked("download") and "SECRET" not in str(hubs.seen) + server.log + json.dumps(card.value())
    assert card.value() == {"link": "civitai.com/models/5?modelVersionId=7", "name": "", "sha256": ""}

    hubs.at[f"{R2}/5/anna"] = lambda h: h.drip(LORA, 60_000, 0.1, announce=len(LORA))
    card.root.get_by_label("Save as").fill("my anna")
    card.root.get_by_role("button", name="Download").click()
    card.root.get_by_role("button", name="Stop").wait_for()
    frontend.page.wait_for_timeout(800)
    card.keep("loading")
    card.says("saved and verified")
    card.keep("done")
    saved = server.base / "models" / "loras" / "my anna.safetensors"
    assert saved.read_bytes() == LORA
    assert card.value() == {
        "link": "civitai.com/models/5?modelVersionId=7", "name": "my anna.safetensors", "sha256": sha256(LORA),
    }  # fmt: skip

    count = len(hubs.seen)
    card.reload()
    card.says("is here")
    outputs = frontend.run()
    assert "ohwx person, smile" in json.dumps(outputs)
    saved.rename(saved.with_name("renamed.safetensors"))
    saved.with_suffix(".json").rename(saved.with_name("renamed.json"))
    card.reload()
    card.says("renamed.safetensors is here")
    saved.with_name("renamed.safetensors").unlink()
    card.reload()
    card.says("not on this computer")
    card.keep("gone")
    assert "is not in ComfyUI's LoRA folders" in refused_prompt(frontend)
    assert len(hubs.seen) == count, "opening and running a workflow asks no hub"


def test_stop_and_continue(frontend: Frontend, server: Server, hubs: HubServer) -> None:
    hubs.at[f"{R2}/5/anna"] = lambda h: h.drip(LORA, 30_000, 0.1, announce=len(LORA))
    card = Card(frontend)
    card.look_up("5@7")
    card.root.get_by_role("button", name="Download").click()
    frontend.page.wait_for_timeout(700)
    card.root.get_by_role("button", name="Stop").click()
    card.says("What has arrived is kept")
    card.keep("stopped")
    hubs.file(f"{R2}/5/anna", LORA)
    card.root.get_by_role("button", name="Download").click()
    card.says("saved and verified")
    assert [s.headers.get("range") for s in hubs.seen if s.host == R2][-1]
    card.look_up("5@7")
    card.says("Already on this computer")
    card.keep("already here")


def test_a_download_goes_on_while_the_page_is_loaded_again(frontend: Frontend, server: Server, hubs: HubServer) -> None:
    hubs.at[f"{R2}/5/anna"] = lambda h: h.drip(LORA, 40_000, 0.1, announce=len(LORA))
    card = Card(frontend)
    card.look_up("5@7")
    card.root.get_by_role("button", name="Download").click()
    card.root.get_by_role("button", name="Stop").wait_for()
    card.reload()
    card.root.get_by_role("button", name="Stop").wait_for()
    card.keep("reloaded")
    card.says("saved and verified")
    assert card.value()["sha256"] == sha256(LORA)


def test_refusals_are_said_on_the_node(frontend: Frontend, server: Server, hubs: HubServer) -> None:
    card = Card(frontend)
    try:
        refuse_in_turn(card, server, hubs)
    finally:  # the browser's console notes every refusal; nothing else may be in it
        frontend.problems[:] = [problem for problem in frontend.problems if "/lorasmith/hub/" not in problem]


def refuse_in_turn(card: Card, server: Server, hubs: HubServer) -> None:
    card.look_up("https://evil.example/models/5")
    card.says("not a link that is fetched from")
    assert hubs.seen == []
    hubs.json("civitai.com/api/v1/model-versions/7", {"error": "Unauthorized"}, status=401)
    card.look_up("5@7")
    card.says("CIVITAI_API_KEY")
    card.keep("key needed")
    hubs.civitai(LORA, file={"virusScanResult": "Danger"}, version={"name": "<img src=x onerror=alert(1)>"})
    card.look_up("5@7")
    card.says("Not to be downloaded")
    assert card.root.get_by_role("button", name="Download").is_disabled()
    assert card.root.locator("img").count() == 0, "words from a hub are words"
    card.keep("danger")
    changed = LORA[:-1] + bytes([LORA[-1] ^ 1])
    hubs.civitai(LORA)
    hubs.file(f"{R2}/5/anna", changed)
    card.look_up("5@7")
    card.root.get_by_role("button", name="Download").click()
    card.says("not the file that Civitai has on record")
    card.keep("wrong hash")
    assert list((server.base / "models" / "loras").iterdir()) == []


def test_choosing_one_of_several_files(frontend: Frontend, server: Server, hubs: HubServer) -> None:
    hubs.hugging_face({"anna_v1.safetensors": lora_file(10), "anna_v2.safetensors": LORA})
    card = Card(frontend)
    card.look_up("someone/anna")
    card.says("Choose one")
    card.keep("choices")
    card.root.get_by_role("button", name="anna_v2.safetensors").click()
    card.root.get_by_label("File", exact=True).wait_for()
    card.keep("hugging face")
    assert "a photo of sks" in card.root.inner_text()


# -- the addresses, asked by somebody else --------------------------------------------------------------


def ask(server: Server, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(server.url + path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_the_editor_may_ask(server: Server, hubs: HubServer) -> None:
    path, body, kind = "/lorasmith/hub/look", b'{"link": "5@7"}', "application/json"
    assert ask(server, path, body, Content_Type=kind)[0] == 200
    hubs.seen.clear()
    for site in ("cross-site", "same-site"):
        assert ask(server, path, body, Content_Type=kind, Sec_Fetch_Site=site)[0] == 403
    assert ask(server, path, body, Content_Type=kind, Origin="https://evil.example")[0] == 403
    assert ask(server, path, body, Content_Type="text/plain")[0] == 400  # what a plain form can send
    assert ask(server, path, b"[]", Content_Type=kind)[0] == 400
    assert ask(server, path, b"{", Content_Type=kind)[0] == 400
    assert server.fetch("/lorasmith/hub/look?link=5@7")[0] in (404, 405)
    assert hubs.seen == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../../evil"}, "does not stay inside"),
        ({"name": "/etc/evil"}, "does not stay inside"),
        ({"name": 5}, "must be text"),
        ({"folder": 99}, "no LoRA folder number 99"),
        ({"folder": -1}, "no LoRA folder number -1"),
        ({"folder": "../x"}, "no LoRA folder"),
        ({"sha256": "0" * 64}, "has changed since"),
        ({"link": "https://evil.example/x"}, "not a link that is fetched from"),
    ],
)
def test_what_a_request_cannot_do(server: Server, hubs: HubServer, changes: dict[str, Any], words: str) -> None:
    asked = {"link": "5@7", "sha256": sha256(LORA), "folder": 0, "name": "x", **changes}
    status, said = ask(server, "/lorasmith/hub/download", json.dumps(asked).encode(), Content_Type="application/json")
    assert status == 400 and words in said
    assert not hubs.asked("download") and not list(Path(server.base, "models", "loras").glob("*"))
