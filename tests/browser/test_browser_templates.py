"""Every template, opened and run as a user does it: through ComfyUI's own graph editor."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.comfyui import PACK
from harness.frontend import Frontend

pytestmark = pytest.mark.browser
TEMPLATES = sorted((PACK / "example_workflows").glob("*.json"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_opens_whole(frontend: Frontend, path: Path, request: pytest.FixtureRequest) -> None:
    frontend.open_template(path.stem)
    assert frontend.missing_types() == []
    prompt = frontend.to_prompt()
    assert sum(node["class_type"].startswith("Lorasmith_") for node in prompt.values()) >= 9
    frontend.show_all()
    frontend.screenshot(f"{path.stem} opened {request.node.callspec.params['frontend']}")
