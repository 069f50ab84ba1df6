"""One more LoRA on the stack."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._types import LORA_STACK, StackRow

NONE = "None"


class LoraStack(io.ComfyNode):
    """Adds a row to a stack; nothing is loaded yet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_LoraStack",
            display_name="LoRA Stack",
            category="Lorasmith/4 Combine",
            description="Puts a LoRA with its strengths on a stack. Chain as many as you like.",
            search_aliases=["multi lora", "lora loader", "combine loras", "lora strength"],
            inputs=[
                io.Combo.Input(
                    "lora_name",
                    options=[NONE, *host.lora_names()],
                    default=NONE,
                    tooltip="A LoRA from ComfyUI's LoRA folders. 'None' passes the stack on as it is.",
                ),
                io.Float.Input(
                    "model_strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    tooltip="How strongly it changes the model. 0 is off, 1 as trained; 0.6 to 1 is usual.",
                ),
                io.Float.Input(
                    "clip_strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    tooltip="How strongly it changes the text encoder, if it has a part for it.",
                ),
                LORA_STACK.Input(
                    "lora_stack", optional=True, tooltip="The stack so far; this LoRA is put on top of it."
                ),
            ],
            outputs=[
                LORA_STACK.Output("lora_stack", display_name="lora_stack", tooltip="The stack with this LoRA on top.")
            ],
        )

    @classmethod
    def execute(
        cls,
        lora_name: str,
        model_strength: float,
        clip_strength: float,
        lora_stack: list[StackRow] | None = None,
    ) -> io.NodeOutput:
        rows = list(lora_stack or [])
        if lora_name != NONE:
            rows.append((lora_name, model_strength, clip_strength))
        return io.NodeOutput(rows)
