"""Whom the policy lets us talk to, where keys come from, and names made harmless."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora_train.errors import BadInputError
from lora_train.hub.keys import find_key, how_to_add, key_file
from lora_train.hub.names import MAX_STEM_BYTES, free_name, safe_name, target_path
from lora_train.hub.policy import (
    Hub,
    RefusedError,
    connect_public,
    require_hub,
    require_public,
    require_store,
)

R2 = "civitai-delivery-worker-prod.5ac0637cfd0766c97916cefa3764fbdf.r2.cloudflarestorage.com"


@pytest.mark.parametrize(
    ("hub", "host"),
    [
        ("civitai", "civitai.com"),
        ("civitai", "civitai.red"),
        ("civitai", "b2.civitai.com"),
        ("civitai", "image.civitai.com"),
        ("civitai", R2),
        ("civitai", R2.replace("prod", "prod-2023-11-01")),
        ("civitai", "f004.backblazeb2.com"),
        ("huggingface", "huggingface.co"),
        ("huggingface", "cdn-lfs-us-1.hf.co"),
        ("huggingface", "cdn-lfs.huggingface.co"),
        ("huggingface", "us-east-1.aws.cdn.hf.co"),
        ("huggingface", "us-east1.us.gcp.cdn.hf.co"),
        ("huggingface", "cas-bridge.xethub.hf.co"),
        ("huggingface", "transfer.xethub-eu.hf.co"),
    ],
)
def test_known_stores(hub: Hub, host: str) -> None:
    assert require_store(hub, f"https://{host}/x?y") == host
    assert require_store(hub, f"https://{host.upper()}:443/x") == host


@pytest.mark.parametrize("hub", ["civitai", "huggingface"])
@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "https://civitai.com.evil.example/x",
        "https://xcivitai.com/x",
        "https://evilhuggingface.co/x",
        "https://someone.hf.space/x",
        "https://backblazeb2.com.evil.example/x",
        "https://my-bucket.5ac0637cfd0766c97916cefa3764fbdf.r2.cloudflarestorage.com/x",
        f"https://{R2}.evil.example/x",
        "http://civitai.com/x",
        "http://huggingface.co/x",
        "ftp://huggingface.co/x",
        "//civitai.com/x",
        "file:///etc/passwd",
        "https://civitai.com:8080/x",
        "https://huggingface.co:22/x",
        "https://user@civitai.com/x",
        "https://civitai.com@127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[bad/x",
        "https:///x",
        "",
    ],
)
def test_unknown_places_are_refused(hub: Hub, address: str) -> None:
    with pytest.raises(RefusedError):
        require_store(hub, address)


def test_one_hub_does_not_lead_to_the_other() -> None:
    with pytest.raises(RefusedError):
        require_store("civitai", "https://huggingface.co/x")
    with pytest.raises(RefusedError):
        require_hub("https://b2.civitai.com/x")  # a store is no place for a first request


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "198.18.0.4", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:101::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    with pytest.raises(RefusedError, match="private network"):
        require_public("civitai.com", ["104.18.22.206", address])


def test_public_addresses_pass() -> None:
    for address in ("104.18.22.206", "2606:4700::6812:16ce", "64:ff9b::6812:16ce", "::ffff:104.18.22.206"):
        assert require_public("civitai.com", [address]) == address


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers differently the second time (rebinding) gains nothing: it is asked once."""
    asked: list[str] = []
    connected: list[Any] = []

    class Socket:
        def __init__(self, *_: object) -> None: ...
        def settimeout(self, _: float) -> None: ...
        def connect(self, place: Any) -> None:
            connected.append(place)

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "104.18.22.206" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "socket", Socket)
    connect_public("civitai.com", 1.0)
    assert asked == ["civitai.com"] and connected == [("104.18.22.206", 443)]
    with pytest.raises(RefusedError):
        connect_public("civitai.com", 1.0)
    assert len(connected) == 1


def test_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            client, _ = proxy.accept()
            with client:
                heard.append(client.recv(4096))
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass@127.0.0.1:{proxy.getsockname()[1]}")
        connect_public("civitai.com", 2.0).close()
        thread.join(5)
    assert heard[0].startswith(b"CONNECT civitai.com:443") and b"Basic bWU6cGFzcw==" in heard[0]
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(RefusedError, match="socks5"):
        connect_public("civitai.com", 1.0)


# -- keys -------------------------------------------------------------------------------------------


def test_key_from_the_environment_then_the_file(keys: Path) -> None:
    assert find_key("civitai", keys, {}) is None
    key_file("civitai", keys).write_text("from-the-file\n")
    key_file("civitai", keys).chmod(0o600)
    found = find_key("civitai", keys, {})
    assert found and found.header() == "Bearer from-the-file"
    first = find_key("civitai", keys, {"CIVITAI_TOKEN": "from-the-environment"})
    assert first and first.header() == "Bearer from-the-environment"
    assert "from" not in f"{found!r} {found}"
    assert find_key("huggingface", keys, {"CIVITAI_TOKEN": "from-the-environment"}) is None
    assert "CIVITAI_API_KEY" in how_to_add("civitai", keys)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_key_file_that_others_can_read_is_refused(keys: Path, mode: int) -> None:
    key_file("civitai", keys).write_text("secret-secret")
    key_file("civitai", keys).chmod(mode)
    with pytest.raises(BadInputError, match="chmod 600") as caught:
        find_key("civitai", keys, {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["short", "two words here", "line\nbreak-break", "ключ-ключ-ключ", "x" * 513])
def test_malformed_key_is_not_sent_and_not_shown(keys: Path, text: str) -> None:
    with pytest.raises(BadInputError, match="holds no key") as caught:
        find_key("civitai", keys, {"CIVITAI_API_KEY": text})
    assert text not in str(caught.value)


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("anna.safetensors", "anna.safetensors"),
        ("Anna v2 (final).safetensors", "Anna_v2_(final).safetensors"),
        ("../../etc/passwd", "passwd.safetensors"),
        ("..\\..\\windows\\evil.SAFETENSORS", "evil.safetensors"),
        ("/etc/cron.d/job.safetensors", "job.safetensors"),
        ("C:\\evil.exe", "evil.safetensors"),
        ("evil.safetensors.exe", "evil.safetensors.safetensors"),
        ("model.ckpt", "model.safetensors"),
        ("...", "lora_x.safetensors"),
        ("", "lora_x.safetensors"),
        ("..", "lora_x.safetensors"),
        (".hidden", "hidden.safetensors"),
        ("-rf.safetensors", "rf.safetensors"),
        ("CON.safetensors", "lora_x_CON.safetensors"),
        ("nul", "lora_x_nul.safetensors"),
        ("a\x00b\nc.safetensors", "abc.safetensors"),
        ("gpj\u202efxe.safetensors", "gpjfxe.safetensors"),
        ("<b>|?*.safetensors", "b.safetensors"),
        ("Анна 愛.safetensors", "Анна_愛.safetensors"),
        ("%2e%2e%2fx.safetensors", "2e_2e_2fx.safetensors"),
    ],
)
def test_hostile_names_become_plain(given_name: str, name: str) -> None:
    assert safe_name(given_name, "lora_x") == name


@given(st.text(max_size=400))
def test_any_name_is_a_file_in_the_folder(given_name: str) -> None:
    name = safe_name(given_name, "lora_x")
    folder = Path("/somewhere/loras")
    assert target_path(folder, name).parent == folder.resolve()
    assert name.endswith(".safetensors") and len(name.encode()) <= MAX_STEM_BYTES + 40


def test_wanted_names(tmp_path: Path) -> None:
    assert target_path(tmp_path, "people/anna") == tmp_path.resolve() / "people" / "anna.safetensors"
    for bad in ("../x", "/x", "a/../../x", "", "con", "a//b", "x" * 300, "愛" * 80):
        with pytest.raises(BadInputError):
            target_path(tmp_path, bad)


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_out_of_the_folder_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "out").symlink_to(tmp_path)
    with pytest.raises(BadInputError, match="does not stay inside"):
        target_path(tmp_path / "loras", "out/x")


def test_free_name(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    assert free_name(path) == "a.safetensors"
    path.touch()
    (tmp_path / "a_2.safetensors").touch()
    assert free_name(path) == "a_3.safetensors"
