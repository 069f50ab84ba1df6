"""Lorasmith for ComfyUI: photos to a LoRA that is worth keeping."""

from __future__ import annotations

try:
    import comfy_api.latest  # noqa: F401
except ModuleNotFoundError as error:  # no ComfyUI here: the shell and the tests use lora_train alone
    if error.name is None or error.name.split(".")[0] != "comfy_api":
        raise
else:
    from .nodes import comfy_entrypoint as comfy_entrypoint

WEB_DIRECTORY = "./web"
