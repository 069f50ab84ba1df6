"""The stack goes onto the model."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._apply_stack import apply_stack
from ._types import LORA_STACK, StackRow
from ._ui import show


class ApplyLoraStack(io.ComfyNode):
    """One clone of MODEL and CLIP with every LoRA of a stack."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ApplyLoraStack",
            display_name="Apply LoRA Stack",
            category="Lorasmith/4 Combine",
            description=(
                "Adds every LoRA of a stack to the model and the text encoder. A missing file, or a LoRA "
                "made for another model family, is an error here and not a silent no-op."
            ),
            search_aliases=["load lora", "lora stack loader", "use lora", "multi lora"],
            inputs=[
                io.Model.Input("model", tooltip="The model to change; the original stays as it is."),
                io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
                LORA_STACK.Input("lora_stack", tooltip="From Train LoRA or LoRA Stack. An empty stack is fine."),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    tooltip="Multiplies every strength in the stack. 1 is as set there, 0 switches all off.",
                ),
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="The model with the LoRAs."),
                io.Clip.Output("clip", display_name="clip", tooltip="The text encoder with the LoRAs."),
            ],
            has_intermediate_output=True,  # what its card says comes back after a page reload
        )

    @classmethod
    def execute(cls, model: Any, clip: Any, lora_stack: list[StackRow], strength: float) -> io.NodeOutput:
        new_model, new_clip, report = apply_stack(model, clip, lora_stack, strength)
        return io.NodeOutput(new_model, new_clip, ui=show(report))
