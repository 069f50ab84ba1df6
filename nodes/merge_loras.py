"""Several LoRAs in one file."""

from __future__ import annotations

from comfy_api.latest import io

from ._types import LORA_STACK, REPORT, StackRow
from ._ui import show
from ._workbench import PRECISIONS, merge_stack, name_problem


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
                io.String.Input(
                    "name",
                    default="merged",
                    tooltip="Name of the new file; 'people/anna' makes a sub-folder. Nothing is overwritten.",
                ),
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
                io.Combo.Input(
                    "precision",
                    options=PRECISIONS,
                    default=PRECISIONS[0],
                    tooltip="Number type of the new file. fp16 is usual; fp32 is exact and twice as large.",
                ),
            ],
            outputs=[
                io.String.Output("lora_name", display_name="lora_name", tooltip="The new LoRA's name in the lists."),
                LORA_STACK.Output(
                    "lora_stack", display_name="lora_stack", tooltip="The new LoRA at strength 1, for Apply LoRA Stack."
                ),
                REPORT.Output("report", display_name="report", tooltip="What was done, in words and as data."),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        return name_problem(name)

    @classmethod
    def execute(cls, lora_stack: list[StackRow], name: str, rank: int, method: str, precision: str) -> io.NodeOutput:
        made = merge_stack(lora_stack, name, rank, method, precision)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
