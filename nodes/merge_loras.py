"""Several LoRAs in one file."""

from __future__ import annotations

from comfy_api.latest import io

from ._new_lora import name_input, name_problem, new_lora_outputs, precision_input
from ._types import LORA_STACK, StackRow
from ._ui import show
from ._workbench import merge_stack


class MergeLoras(io.ComfyNode):
    """Writes the sum of a stack as one LoRA, exactly or cut to a rank."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_MergeLoras",
            display_name="Merge LoRAs",
            category="Lorasmith/4 Combine",
            description=(
                "Writes all LoRAs of a stack, at their strengths, into one file that works at strength 1. Exact by "
                "default; with a rank, the best LoRA of that rank, and its error is told."
            ),
            search_aliases=["combine loras", "lora merge", "bake lora", "ties", "dare", "svd merge"],
            inputs=[
                LORA_STACK.Input("lora_stack", tooltip="The LoRAs and their strengths. Strength 0 is left out."),
                name_input("merged"),
                io.Int.Input(
                    "rank",
                    default=0,
                    min=0,
                    max=1024,
                    tooltip="0: exact (the ranks add up). Else the sum is cut to this rank, and the error is told.",
                ),
                io.Combo.Input(
                    "method",
                    options=["sum", "ties", "dare"],
                    default="sum",
                    tooltip="sum: what a stack does. ties and dare drop numbers of each change first, and need a rank.",
                ),
                precision_input(),
            ],
            outputs=new_lora_outputs(),
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        return name_problem(name)

    @classmethod
    def execute(cls, lora_stack: list[StackRow], name: str, rank: int, method: str, precision: str) -> io.NodeOutput:
        made = merge_stack(lora_stack, name, rank, method, precision)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
