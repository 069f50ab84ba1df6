"""One browser for the session; a fresh page for each test and render mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from harness.comfyui import Server
from harness.frontend import Frontend, chromium, launched, opened


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; skips with one line where there is none."""
    pytest.importorskip("playwright", reason="no playwright: pip install playwright")
    if chromium() is None:
        pytest.skip("no Chromium: install it, or set CHROMIUM_PATH")
    with launched() as running:
        yield running


@pytest.fixture(params=[False, True], ids=["classic", "nodes2"])
def frontend(request: pytest.FixtureRequest, server: Server, browser: Any) -> Iterator[Frontend]:
    """The graph editor in both render modes; console errors fail the test."""
    with opened(server, browser, nodes_2=request.param) as page:
        yield page
        assert page.problems == []
