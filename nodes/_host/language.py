"""The user's language: what they chose in ComfyUI's settings, else what their browser told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ...lora_train.say import use_language

_SETTING = "Comfy.Locale"
_USER = "default"  # a server with several users does not tell who queued a workflow
_told: str | None = None


def follow_language() -> None:
    """Settle the language whenever a workflow is queued; silent where ComfyUI runs without its server."""
    module = sys.modules.get("server")
    server = getattr(getattr(module, "PromptServer", None), "instance", None)
    if server is not None:
        server.add_on_prompt_handler(_settled)


def tell_language(locale: str) -> None:
    """What the graph editor shows itself in; the settings file names a language only after one was chosen."""
    global _told
    _told = locale
    settle_language()


def settle_language() -> None:
    """Speak the user's language from now on; where nobody named one, that of the environment."""
    use_language(_chosen() or _told)


def _settled(queued: dict[str, Any]) -> dict[str, Any]:
    settle_language()
    return queued


def _chosen() -> str | None:
    """The locale in the user's settings, None where there is none."""
    import folder_paths

    try:
        settings = json.loads((Path(folder_paths.get_user_directory()) / _USER / "comfy.settings.json").read_bytes())
    except (OSError, ValueError):  # not there yet, or being written
        return None
    locale = settings.get(_SETTING) if isinstance(settings, dict) else None
    return locale if isinstance(locale, str) and locale else None
