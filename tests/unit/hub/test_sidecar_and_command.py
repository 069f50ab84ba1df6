"""What lies beside a fetched LoRA, and the shell's verb."""

from __future__ import annotations

import functools
import json
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer, lora_file, sha256
from PIL import Image

from lora_train import cli
from lora_train.commands import download as verb
from lora_train.hub.download import Fetched, download
from lora_train.hub.resolve import resolve

LORA = lora_file()
PICTURE = "image.civitai.com/anna.png"


def picture(size: tuple[int, int] = (1200, 800), kind: str = "PNG") -> bytes:
    stream = BytesIO()
    Image.new("RGBA", size, (200, 30, 30, 255)).convert("RGB" if kind == "JPEG" else "RGBA").save(stream, kind)
    return stream.getvalue()


def fetch(hubs: HubServer, keys: Path, folder: Path) -> Fetched:
    hubs.civitai(LORA, version={"images": [{"url": f"https://{PICTURE}", "nsfwLevel": 1, "type": "image"}]})
    return download(resolve("5@7", keys, hubs.policy()), folder, keys, policy=hubs.policy())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_preview_is_small_and_drawn_anew(hubs: HubServer, keys: Path, tmp_path: Path, kind: str) -> None:
    hubs.file(PICTURE, picture(kind=kind) + b"hidden payload")
    fetched = fetch(hubs, keys, tmp_path)
    assert fetched.preview == tmp_path.resolve() / "anna.preview.jpg" and fetched.notes == ()
    with Image.open(fetched.preview) as shown:
        assert shown.size == (512, 341) and shown.format == "JPEG"
    assert b"hidden" not in fetched.preview.read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload=alert(1)>", picture()[:300], b"GIF89a" + b"\0" * 100],
    ids=["empty", "svg", "cut", "gif"],
)
def test_bad_preview_harms_nothing(hubs: HubServer, keys: Path, tmp_path: Path, content: bytes) -> None:
    hubs.file(PICTURE, content)
    fetched = fetch(hubs, keys, tmp_path)
    assert fetched.preview is None and "no picture that can be read" in fetched.notes[0]
    assert fetched.path.read_bytes() == LORA and fetched.sidecar


def test_preview_that_is_huge_far_away_or_missing(hubs: HubServer, keys: Path, tmp_path: Path) -> None:
    for side in (9_000, 60_000):
        size = struct.pack(">II", side, side) + picture()[24:29]
        hubs.file(PICTURE, picture()[:16] + size + struct.pack(">I", zlib.crc32(b"IHDR" + size)) + picture()[33:])
        assert "64,000,000 pixels" in fetch(hubs, keys, tmp_path / str(side)).notes[0]
    hubs.redirect(PICTURE, "https://evil.example/x")
    assert "none of its known stores" in fetch(hubs, keys, tmp_path / "2").notes[0]
    del hubs.at[PICTURE]
    assert "status 404" in fetch(hubs, keys, tmp_path / "3").notes[0]


def test_sidecar_has_the_words_of_other_tools_and_our_facts(hubs: HubServer, keys: Path, tmp_path: Path) -> None:
    fetched = fetch(hubs, keys, tmp_path)
    assert fetched.sidecar
    written = json.loads(fetched.sidecar.read_text())
    assert written["activation text"] == "ohwx person, smile" and written["sd version"] == "SD1"
    assert written["lorasmith"]["sha256"] == sha256(LORA)
    assert written["lorasmith"]["source"] == "civitai.com/models/5?modelVersionId=7"
    assert written["lorasmith"]["facts"]["allowCommercialUse"] == ["Image"]


def test_files_of_other_tools_are_left_alone(hubs: HubServer, keys: Path, tmp_path: Path) -> None:
    hubs.file(PICTURE, picture())
    (tmp_path / "anna.json").write_text("mine")
    (tmp_path / "anna.webp").write_text("mine")
    fetched = fetch(hubs, keys, tmp_path)
    assert (tmp_path / "anna.json").read_text() == (tmp_path / "anna.webp").read_text() == "mine"
    assert fetched.preview is None and "left as it is" in fetched.notes[0]


# -- the verb ---------------------------------------------------------------------------------------


@pytest.fixture
def shell(hubs: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(verb, "run", functools.partial(verb.run, policy=hubs.policy()))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "config"))
    return lambda *arguments: cli.main(["download", *map(str, arguments)])


def test_verb(hubs: HubServer, shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hubs.civitai(LORA)
    assert shell("https://civitai.com/models/5", "--to", tmp_path / "out", "--json", tmp_path / "r.json") == 0
    result = json.loads((tmp_path / "r.json").read_text())
    assert {"path", "sha256", "source"} <= set(result)
    assert Path(result["path"]).read_bytes() == LORA and result["sha256"] == sha256(LORA)
    out = capsys.readouterr()
    assert "Verified: SHA-256" in out.out and "commercial use: Image" in out.err


def test_verb_looks_without_fetching(
    hubs: HubServer, shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hubs.civitai(LORA)
    assert shell("5@7", "--look", "--json", tmp_path / "r.json") == 0
    assert json.loads((tmp_path / "r.json").read_text())["path"] is None
    assert "Anna, v2, by someone" in capsys.readouterr().out and not hubs.asked("download")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["https://evil.example/x", "--to", "x"], "not a link that is fetched from"),
        (["5@7"], "--to names no folder"),
        (["5@8", "--to", "x"], "knows nothing under this link"),
        (["5@7", "--to", "x", "--name", "../../y"], "does not stay inside"),
    ],
)
def test_verb_refuses_in_one_line(
    hubs: HubServer, shell: Any, arguments: list[str], words: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    hubs.civitai(LORA)
    monkeypatch.chdir(tmp_path)
    assert shell(*arguments, "--quiet") == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
