"""A LoRA from a link, downloaded by a click and checked."""

from __future__ import annotations

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from ._fetched import fetched_lora
from ._types import LORA_STACK, StackRow


class FetchLora(io.ComfyNode):
    """Stands for a file on this computer; its widget fetches that file when the user presses a button."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_FetchLora",
            display_name="Fetch LoRA",
            category="Lorasmith/4 Combine",
            description=(
                "Paste a link to a LoRA on Civitai or Hugging Face, see what it is, and download it by a click: "
                "checked against the hub's SHA-256. Running a workflow never downloads anything."
            ),
            search_aliases=["civitai", "hugging face", "download lora", "lora link", "air"],
            inputs=[
                io.String.Input(
                    "lora",
                    default="{}",
                    socketless=True,
                    extra_dict={"widgetType": "LORASMITH_FETCH_LORA"},
                    tooltip="The link, and the file that was fetched from it: its name and SHA-256.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    tooltip="How strongly it works, on model and text encoder. 0.6 to 1 is usual.",
                ),
                LORA_STACK.Input(
                    "lora_stack", optional=True, tooltip="The stack so far; this LoRA is put on top of it."
                ),
            ],
            outputs=[
                LORA_STACK.Output("lora_stack", display_name="lora_stack", tooltip="The stack with this LoRA on top."),
                io.String.Output(
                    "trigger_words",
                    display_name="trigger_words",
                    tooltip="The words that call it up, for the prompt; empty when its page names none.",
                ),
                io.String.Output("lora_name", display_name="lora_name", tooltip="Its name in ComfyUI's LoRA lists."),
            ],
        )

    @classmethod
    def validate_inputs(cls, lora: str | None = None) -> bool | str:
        if lora is None:
            return True
        try:
            fetched_lora(lora)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, lora: str, strength: float, lora_stack: list[StackRow] | None = None) -> io.NodeOutput:
        found = fetched_lora(lora)
        row: StackRow = (found.name, strength, strength)
        return io.NodeOutput([*(lora_stack or []), row], found.triggers, found.name)
