"""Fixtures that more than one test folder uses: a real ComfyUI and one server for the whole session."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
from harness.comfyui import Installation, Server, find_comfyui

# Texts are compared in English, whatever the machine speaks.
os.environ["LORASMITH_LANGUAGE"] = "en"
# What models the user has must not decide what the tests see; tests of real faces name their own folder.
os.environ["LORASMITH_MODELS"] = os.path.join(tempfile.gettempdir(), "lorasmith-tests-have-no-models")


@pytest.fixture(scope="session")
def comfyui() -> Installation:
    """The ComfyUI to test with; skips with one line where there is none."""
    found = find_comfyui()
    if found is None:
        pytest.skip("no ComfyUI: set COMFYUI_PATH, or install it at ~/comfy/ComfyUI")
    return found


@pytest.fixture(scope="session")
def server(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running ComfyUI with the pack in it, shared by the session."""
    running = Server(comfyui, tmp_path_factory.mktemp("comfyui"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
