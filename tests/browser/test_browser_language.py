"""The page tells the server its language: a browser's own until the user chooses one."""

from __future__ import annotations

from typing import Any

import pytest
from harness.comfyui import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_server_speaks_the_language_of_the_page(server: Server, browser: Any) -> None:
    context = browser.new_context(locale="ru-RU")
    try:
        page = context.new_page()
        with page.expect_response("**/lorasmith/language", timeout=90_000) as told:
            page.goto(server.url)
        assert told.value.status == 200 and told.value.json() == {"language": "ru"}
    finally:
        context.close()
        server.post("/lorasmith/language", {"locale": "en"})
