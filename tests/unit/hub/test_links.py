"""Every form of link that people paste, and those that must not get through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora_train.errors import BadInputError
from lora_train.hub.links import CivitaiLink, HuggingFaceLink, parse_link

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://civitai.com/models/82098", CivitaiLink("civitai.com", 82098)),
        ("civitai.com/models/82098/add-more-details?modelVersionId=87153", CivitaiLink("civitai.com", 82098, 87153)),
        ("https://www.civitai.red/models/82098/x#comments", CivitaiLink("civitai.red", 82098)),
        ("https://civitai.green/models/1?modelVersionId=2&token=SECRET", CivitaiLink("civitai.green", 1, 2)),
        ("https://civitai.com/model-versions/87153", CivitaiLink("civitai.com", None, 87153)),
        ("https://civitai.com/api/v1/model-versions/87153", CivitaiLink("civitai.com", None, 87153)),
        ("https://civitai.com/api/v1/models/82098", CivitaiLink("civitai.com", 82098)),
        (
            "https://civitai.com/api/download/models/87153?type=Model&format=SafeTensor&token=SECRET",
            CivitaiLink("civitai.com", None, 87153),
        ),
        ("HTTPS://CIVITAI.COM/models/5", CivitaiLink("civitai.com", 5)),
        ("http://civitai.com./models/5", CivitaiLink("civitai.com", 5)),
        ("82098@87153", CivitaiLink("civitai.com", 82098, 87153)),
        ("urn:air:sd1:lora:civitai:82098@87153", CivitaiLink("civitai.com", 82098, 87153)),
        ("air:sdxl:lora:civitai:82098", CivitaiLink("civitai.com", 82098)),
        ("sdxl:lora:civitai:82098@87153+44.safetensor", CivitaiLink("civitai.com", 82098, 87153, 44)),
        (
            f"urn:air:sdxl:lora:huggingface:owner/name@{COMMIT}/a/b.safetensors",
            HuggingFaceLink("owner/name", COMMIT, "a/b.safetensors"),
        ),
        ("https://huggingface.co/owner/name", HuggingFaceLink("owner/name")),
        ("hf.co/owner/name/tree/v2", HuggingFaceLink("owner/name", "v2")),
        (
            "https://huggingface.co/owner/name/blob/main/a%20b.safetensors?download=true",
            HuggingFaceLink("owner/name", "main", "a b.safetensors"),
        ),
        (
            "huggingface.co/owner/name/resolve/refs/pr/3/x.safetensors",
            HuggingFaceLink("owner/name", "refs/pr/3", "x.safetensors"),
        ),
        ("https://huggingface.co/api/models/owner/name", HuggingFaceLink("owner/name")),
        ("owner/name", HuggingFaceLink("owner/name")),
        ("owner/name.v1@v2/dir/x.safetensors", HuggingFaceLink("owner/name.v1", "v2", "dir/x.safetensors")),
        (' "<owner/name>"\n', HuggingFaceLink("owner/name")),
    ],
)
def test_forms(text: str, meant: object) -> None:
    found = parse_link(text)
    assert found == meant
    assert parse_link(str(found)) == found, "what is stored means the same"
    assert "SECRET" not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "hello",
        "5",
        "https://evil.example/models/5",
        "https://civitai.com.evil.example/models/5",
        "https://notcivitai.com/models/5",
        "https://civitai.com@evil.example/models/5",
        "https://user:SECRET@civitai.com/models/5",
        "https://civitai.com:8443/models/5",
        "https://civitai.com:99999999/models/5",
        "https://[::1]/models/5",
        "https://[broken/models/5",
        "http://127.0.0.1/models/5",
        "http://localhost/owner/name",
        "file:///etc/passwd",
        "ftp://civitai.com/models/5",
        "javascript:alert(1)",
        "https://civitai.com/",
        "https://civitai.com/models/abc",
        "https://civitai.com/models/٣",  # a digit to Python's isdigit, none to a hub
        "https://civitai.com/user/someone",
        "https://huggingface.co/owner",
        "https://huggingface.co/datasets/owner/name",
        "https://huggingface.co/spaces/owner/name",
        "https://huggingface.co/owner/name/resolve/main/../../../secret",
        "https://huggingface.co/owner/name/resolve/main/%2e%2e/x.safetensors",
        "https://huggingface.co/owner/name/blob/..%2f..%2fapi/x.safetensors",
        "https://huggingface.co/owner/name/blob/main/a%0d%0aHost:evil.safetensors",
        "https://huggingface.co/%2e%2e/name",
        "https://huggingface.co/owner/na me",
        "https://civitai.com/models/5\r\nHost: evil.example",
        "https:\\\\civitai.com\\models\\5",
        "urn:air:sdxl:lora:orchestrator:abc",
        "urn:air:sdxl:lora:civitai:abc",
        "owner/../name",
        "../../etc",
        "owner/name@a..b/x",
        "example.com/name",
        "x" * 3000,
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_link(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_refusal_shows_no_key() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_link("https://user:PASSWORD@evil.example/models/5?token=SECRET#SECRET")
    assert "SECRET" not in str(caught.value) and "PASSWORD" not in str(caught.value)


@given(st.text(max_size=60) | st.text("civtahugngface.o/:@?=#%\\ -1234567890", max_size=60))
def test_any_text_is_a_safe_link_or_refused(text: str) -> None:
    try:
        found = parse_link(text)
    except BadInputError:
        return
    assert parse_link(str(found)) == found
    assert ".." not in str(found) and not set(str(found)) & set("\r\n\0\\")
