"""What the hubs say about a link, in all their moods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_server import CDN, COMMIT, HubServer, lora_file, sha256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lora_train.errors import BadInputError
from lora_train.hub import civitai, huggingface
from lora_train.hub.huggingface import ChooseFileError
from lora_train.hub.keys import key_file
from lora_train.hub.policy import RefusedError
from lora_train.hub.resolve import resolve
from lora_train.hub.web import AnswerError, BrokenOffError, HubError

LORA = lora_file()


def refusal(hubs: HubServer, keys: Path, link: str, **changes: Any) -> str:
    with pytest.raises((BadInputError, HubError)) as caught:
        resolve(link, keys, hubs.policy(**changes))
    return str(caught.value)


# -- Civitai ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    ["https://civitai.com/models/5", "civitai.com/model-versions/7", "5@7", "urn:air:sd1:lora:civitai:5@7",
     "https://civitai.com/api/download/models/7?token=SECRETSECRET", "urn:air:sd1:lora:civitai:5@7+9"],
)  # fmt: skip
def test_civitai(hubs: HubServer, keys: Path, link: str) -> None:
    hubs.civitai(LORA)
    record = resolve(link, keys, hubs.policy())
    assert (record.name, record.version, record.base, record.author) == ("Anna", "v2", "SD 1.5", "someone")
    assert record.sha256 == sha256(LORA) and record.bytes == len(LORA) and not record.exact_size
    assert record.triggers == ("ohwx person", "smile") and record.scan == "clean"
    assert record.licence == "commercial use: Image; credit the author; merges allowed; same licence"
    assert record.link == "civitai.com/models/5?modelVersionId=7"
    assert [c.link for c in record.versions] == [record.link, "civitai.com/models/5?modelVersionId=6"]
    assert "SECRET" not in json.dumps(record.to_json()) + record.text() + str(hubs.seen)
    assert record.notes == (
        ("the link names no version: this is the newest of 2",) if link.endswith("models/5") else ()
    )


def test_civitai_license_is_optional_and_words_are_cleaned(hubs: HubServer, keys: Path) -> None:
    hubs.civitai(LORA, version={"name": "v\u202e2\n" + "x" * 500, "trainedWords": ["a", "a", "", 5, None, {"b": 1}]})
    del hubs.at["civitai.com/api/v1/models/5"]
    record = resolve("5@7", keys, hubs.policy())
    assert record.licence == "" and record.name == "Anna"
    assert record.version.startswith("v2 xxx") and len(record.version) == 200
    assert record.triggers == ("a", "5")


def test_a_model_on_the_other_site_is_found_there(hubs: HubServer, keys: Path) -> None:
    hubs.civitai(LORA, site="civitai.red")
    record = resolve("https://civitai.com/models/5", keys, hubs.policy())
    assert record.link.startswith("civitai.red/") and record.download_address.startswith("https://civitai.red/api/")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"type": "Checkpoint"}, "version": {"model": {}}}, "is a Checkpoint, not a LoRA"),
        ({"file": {"name": "anna.ckpt"}}, "no .safetensors file"),
        ({"file": {"name": "anna.pt"}}, "can hold code"),
        ({"version": {"files": []}}, "none at all"),
        ({"version": {"files": "what"}}, "none at all"),
        ({"version": {"usageControl": "Generation"}}, "on Civitai only"),
        ({"file": {"hashes": {}}}, "no SHA-256"),
        ({"file": {"hashes": {"SHA256": "zz"}}}, "no SHA-256"),
        ({"file": {"hashes": None}}, "no SHA-256"),
        ({"file": {"sizeKB": "NaN"}}, "how large"),
        ({"file": {"sizeKB": -5}}, "how large"),
        ({"file": {"sizeKB": 1e300}}, "how large"),
        ({"version": {"id": "7"}}, "names no version"),
    ],
)
def test_civitai_refusals(hubs: HubServer, keys: Path, changes: Any, words: str) -> None:
    hubs.civitai(LORA, **changes)
    assert words in refusal(hubs, keys, "5@7")


def test_civitai_scan_results(hubs: HubServer, keys: Path) -> None:
    for result, verdict in (("Danger", "danger"), ("Pending", "pending"), ("Error", "unknown"), (None, "unknown")):
        hubs.civitai(LORA, file={"virusScanResult": result})
        assert resolve("5@7", keys, hubs.policy()).scan == verdict


def test_civitai_download_address_stays_at_the_hub(hubs: HubServer, keys: Path) -> None:
    """The address comes from an answer: a key must not follow it elsewhere."""
    for evil in ("https://evil.example/api/download/models/7", "http://civitai.com/api/download/models/7", "x", None,
                 "https://civitai.com@evil.example/api/download/models/7", "https://civitai.com/other"):  # fmt: skip
        hubs.civitai(LORA, file={"downloadUrl": evil})
        assert resolve("5@7", keys, hubs.policy()).download_address == "https://civitai.com/api/download/models/7"
    hubs.civitai(LORA, file={"downloadUrl": "https://civitai.com/api/download/models/7?type=Model&format=SafeTensor"})
    assert resolve("5@7", keys, hubs.policy()).download_address.endswith("?type=Model&format=SafeTensor")


def test_civitai_preview_is_mild_and_still(hubs: HubServer, keys: Path) -> None:
    pictures = [
        {"url": "https://image.civitai.com/x", "nsfwLevel": 16, "type": "image"},
        {"url": "https://image.civitai.com/v", "nsfwLevel": 1, "type": "video"},
        {"url": "https://image.civitai.com/m", "nsfwLevel": 2, "type": "image"},
        {"url": "https://image.civitai.com/g", "nsfwLevel": 1, "type": "image"},
        {"url": "https://image.civitai.com/u", "type": "image"},
    ]
    for shown, wanted in ((pictures, "g"), (pictures[:3], "m"), (pictures[:2], ""), (pictures[4:], "")):
        hubs.civitai(LORA, version={"images": shown})
        assert resolve("5@7", keys, hubs.policy()).preview_address.rpartition("/")[2] == wanted


def test_strange_permissions_and_messages_can_be_stored_and_printed(hubs: HubServer, keys: Path) -> None:
    hubs.civitai(LORA, model={"allowCommercialUse": [float("nan"), {"a": 1}, "Rent"], "allowNoCredit": "yes"})
    facts = json.dumps(resolve("5@7", keys, hubs.policy()).to_json(), allow_nan=False)
    assert '"allowCommercialUse": ["nan", "Rent"]' in facts
    hubs.json("civitai.com/api/v1/model-versions/7", {"error": "\ud800 bad \u202e news\r\n"}, status=418)
    assert "status 418: bad news)" in refusal(hubs, keys, "5@7").encode().decode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.just("a.safetensors"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "modelId", "name", "type", "files", "images", "model", "hashes", "SHA256", "sizeKB", "trainedWords",
         "url", "nsfwLevel", "modelVersions", "sha", "siblings", "rfilename", "lfs", "size", "cardData", "tags"]
    ), inner, max_size=8),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, st.booleans())
def test_any_answer_is_a_record_or_a_refusal(
    monkeypatch: pytest.MonkeyPatch, keys: Path, value: Any, lora: bool
) -> None:
    answer = {**value, "type": "LORA", "id": 7} if lora and isinstance(value, dict) else value
    for module in (civitai, huggingface):
        monkeypatch.setattr(module, "ask_json", lambda *_: answer)
    for link in ("5@7", "civitai.com/models/5", "someone/anna"):
        try:
            record = resolve(link, keys, HubServer().policy())
        except (BadInputError, HubError):
            continue
        assert len(record.sha256) == 64 and record.text().encode()


# -- Hugging Face -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link", ["someone/anna", "https://huggingface.co/someone/anna", "hf.co/someone/anna/tree/main"]
)
def test_hugging_face(hubs: HubServer, keys: Path, link: str) -> None:
    hubs.hugging_face({"pytorch_lora_weights.safetensors": LORA})
    record = resolve(link, keys, hubs.policy())
    assert (record.name, record.author, record.base, record.licence) == ("anna", "someone", "stabilityai/sdxl", "mit")
    assert record.sha256 == sha256(LORA) and record.bytes == len(LORA) and record.exact_size
    assert record.file_name == "anna.safetensors" and record.triggers == ("a photo of sks",)
    assert record.scan == "clean" and COMMIT in record.link and f"/resolve/{COMMIT}/" in record.download_address


def test_several_files_are_asked_about(hubs: HubServer, keys: Path) -> None:
    hubs.hugging_face({"a.safetensors": LORA, "sub/b c.safetensors": lora_file(3), "readme.txt": b"x"})
    with pytest.raises(ChooseFileError, match="2 .safetensors files") as caught:
        resolve("someone/anna", keys, hubs.policy())
    assert [c.label for c in caught.value.choices] == ["a.safetensors", "sub/b c.safetensors"]
    record = resolve(caught.value.choices[1].link, keys, hubs.policy())
    assert record.sha256 == sha256(lora_file(3)) and record.file_name == "b c.safetensors"
    assert record.download_address.endswith("/sub/b%20c.safetensors")
    assert len(record.files) == 2


@pytest.mark.parametrize(
    ("files", "link", "words"),
    [
        ({"model.ckpt": b"x"}, "someone/anna", "no .safetensors file"),
        ({}, "someone/anna", "among its 0 files"),
        ({"a.safetensors": LORA}, "huggingface.co/someone/anna/blob/main/b.safetensors", "has no file"),
        ({"a.safetensors": LORA, "a.bin": b"x"}, "huggingface.co/someone/anna/blob/main/a.bin", "can hold code"),
    ],
)
def test_hugging_face_refusals(hubs: HubServer, keys: Path, files: Any, link: str, words: str) -> None:
    hubs.hugging_face(files)
    assert words in refusal(hubs, keys, link)


def test_a_file_outside_large_file_storage_cannot_be_checked(hubs: HubServer, keys: Path) -> None:
    hubs.hugging_face({"a.safetensors": LORA}, siblings=[{"rfilename": "a.safetensors", "size": 5}])
    assert "no SHA-256" in refusal(hubs, keys, "someone/anna")
    hubs.hugging_face({"a.safetensors": LORA}, sha="../../x")
    assert "no commit" in refusal(hubs, keys, "someone/anna")


def test_hugging_face_scan_and_missing_report(hubs: HubServer, keys: Path) -> None:
    for status, verdict in (("unsafe", "danger"), ("queued", "pending"), ("suspicious", "unknown"), ("", "unknown")):
        hubs.hugging_face({"a.safetensors": LORA}, status=status)
        assert resolve("someone/anna", keys, hubs.policy()).scan == verdict
    hubs.json(f"huggingface.co/api/models/someone/anna/tree/{COMMIT}", {}, status=500)
    record = resolve("someone/anna", keys, hubs.policy())
    assert record.scan == "unknown" and "could not be read" in record.scan_text


def test_gated_repository_says_what_to_do(hubs: HubServer, keys: Path) -> None:
    hubs.json("huggingface.co/api/models/someone/anna/revision/main", {"error": "Access is restricted"}, status=403)
    said = refusal(hubs, keys, "someone/anna")
    assert "terms must be accepted" in said and "Access is restricted" in said
    assert "HF_TOKEN" in said and str(key_file("huggingface", keys)) in said


# -- any hub, in a bad mood -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "a key is needed"), (403, "terms must be accepted"), (404, "knows nothing"), (410, "refused"),
        (418, "refused"), (429, "too many requests"), (500, "try again later"), (503, "try again later"),
    ],
)  # fmt: skip
def test_error_statuses(hubs: HubServer, keys: Path, status: int, words: str) -> None:
    hubs.json("civitai.com/api/v1/model-versions/7", {"error": "own  words\n" + "x" * 900}, status=status)
    said = refusal(hubs, keys, "5@7")
    assert words in said and f"status {status}" in said or status == 404
    assert len(said) < 700 and "\n" not in said


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b"[" * 100_000, b"\xff\xfe", b"{"])
def test_answers_that_are_no_json(hubs: HubServer, keys: Path, body: bytes) -> None:
    hubs.at["civitai.com/api/v1/model-versions/7"] = lambda h: h.reply(200, {}, body)
    assert "no JSON" in refusal(hubs, keys, "5@7")


@pytest.mark.parametrize("value", [[], "text", 5, None, {"files": {"a": 1}, "model": [], "images": 4}])
def test_answers_of_the_wrong_shape(hubs: HubServer, keys: Path, value: object) -> None:
    hubs.json("civitai.com/api/v1/model-versions/7", value)
    hubs.json("huggingface.co/api/models/someone/anna/revision/main", value)
    assert refusal(hubs, keys, "5@7")
    assert refusal(hubs, keys, "someone/anna")


def test_endless_answer_is_cut(hubs: HubServer, keys: Path) -> None:
    hubs.at["civitai.com/api/v1/model-versions/7"] = lambda h: h.drip(b" " * 3_000_000, 100_000, 0.0)
    assert "more than the 1,000,000 bytes" in refusal(hubs, keys, "5@7", max_answer_bytes=1_000_000)


def test_slow_answer_is_cut(hubs: HubServer, keys: Path) -> None:
    hubs.at["civitai.com/api/v1/model-versions/7"] = lambda h: h.drip(b" " * 1000, 10, 0.05)
    assert "took more than" in refusal(hubs, keys, "5@7", answer_timeout_s=0.3)


def test_silent_server(hubs: HubServer, keys: Path) -> None:
    import time

    hubs.at["civitai.com/api/v1/model-versions/7"] = lambda h: time.sleep(1)
    with pytest.raises(BrokenOffError, match="did not answer in time"):
        resolve("5@7", keys, hubs.policy(silence_timeout_s=0.2))


def test_nobody_there(hubs: HubServer, keys: Path) -> None:
    def unreachable(host: str, timeout_s: float) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    assert "cannot be reached" in refusal(hubs, keys, "5@7", connect=unreachable)


def test_wrong_certificate(hubs: HubServer, keys: Path) -> None:
    import ssl

    assert "could not prove" in refusal(hubs, keys, "5@7", roots=ssl.create_default_context)
    assert hubs.seen == []


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/x", "http://civitai.com/api/v1/model-versions/7", "https://127.0.0.1/x", "file:///etc/passwd",
     "https://civitai.com:444/x", "//evil.example/x", f"https://{CDN}/x"],
)  # fmt: skip
def test_redirects_to_strangers_are_not_followed(hubs: HubServer, keys: Path, to: str) -> None:
    hubs.redirect("civitai.com/api/v1/model-versions/7", to)
    with pytest.raises(RefusedError):
        resolve("5@7", keys, hubs.policy())
    assert len(hubs.seen) == 1


def test_redirects_without_end(hubs: HubServer, keys: Path) -> None:
    hubs.redirect("civitai.com/api/v1/model-versions/7", "/api/v1/model-versions/7")
    with pytest.raises(AnswerError, match="5 times without end"):
        resolve("5@7", keys, hubs.policy())
    assert len(hubs.seen) == 6


def test_key_goes_to_its_hub_in_the_header_and_nowhere_else(
    hubs: HubServer, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVITAI_API_KEY", "civitai-secret")
    hubs.civitai(LORA)
    hubs.hugging_face({"a.safetensors": LORA})
    resolve("civitai.com/models/5", keys, hubs.policy())
    resolve("someone/anna", keys, hubs.policy())
    for seen in hubs.seen:
        assert seen.headers.get("authorization") == ("Bearer civitai-secret" if seen.host == "civitai.com" else None), (
            seen
        )
        assert "secret" not in seen.path
