"""Several LoRAs with their strengths."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from . import _stack_node as stack
from ._stack_rows import EMPTY
from ._types import LORA_STACK, StackRow


class LoraStack(io.ComfyNode):
    """Rows of LoRAs become a stack; nothing is loaded yet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_LoraStack",
            display_name="LoRA Stack",
            category="Lorasmith/4 Combine",
            description=(
                "Combines LoRAs, one a row: switch, strengths, blocks, trigger words, order. The rows show at once "
                "what does not fit together."
            ),
            search_aliases=["multi lora", "lora loader", "combine loras", "lora strength", "power lora loader"],
            inputs=[
                io.String.Input(
                    "rows",
                    default=EMPTY,
                    optional=True,
                    socketless=True,
                    extra_dict={"widgetType": "LORASMITH_LORA_STACK"},
                    tooltip="The LoRAs, their strengths and what else is set in each row.",
                ),
                LORA_STACK.Input(
                    "lora_stack", optional=True, tooltip="The stack so far; the rows are put on top of it."
                ),
                io.String.Input(
                    "lora_text",
                    default="",
                    optional=True,
                    force_input=True,
                    tooltip="More LoRAs as <lora:name:0.8>, such as a prompt from A1111. Other words are left aside.",
                ),
                LORA_STACK.Input(
                    "second_stack",
                    optional=True,
                    tooltip="Another stack, such as a second LoRA that is trained in the same workflow.",
                ),
            ],
            outputs=[
                LORA_STACK.Output("lora_stack", display_name="lora_stack", tooltip="The stack with the rows on top."),
                io.String.Output(
                    "trigger_words",
                    display_name="trigger_words",
                    tooltip="The trigger words chosen in the rows that are on, for the prompt.",
                ),
                io.String.Output(
                    "lora_text",
                    display_name="lora_text",
                    tooltip="The LoRAs of this node as <lora:name:0.8>, as A1111 writes them.",
                ),
            ],
            accept_all_inputs=True,  # workflows from before there were rows name their one LoRA in three inputs
        )

    @classmethod
    def validate_inputs(cls, rows: str | None = None) -> bool | str:
        try:
            stack.check(rows)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, rows: str | None = None, **others: Any) -> str:
        return stack.fingerprint(rows, others)

    @classmethod
    def execute(
        cls,
        rows: str = EMPTY,
        lora_stack: list[StackRow] | None = None,
        lora_text: str = "",
        second_stack: list[StackRow] | None = None,
        **old: Any,
    ) -> io.NodeOutput:
        found = stack.read(rows, lora_text, old)
        return io.NodeOutput(
            [*(lora_stack or []), *(second_stack or []), *found.stack()], found.words(), stack.as_text(found)
        )
