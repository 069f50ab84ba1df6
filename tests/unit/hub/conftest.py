"""A server that plays the hubs, and an environment without anybody's keys or proxies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer, running

from lora_train.hub.keys import VARIABLES


@pytest.fixture
def hubs() -> Iterator[HubServer]:
    with running() as server:
        yield server


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The folder of the user's key files: empty."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
