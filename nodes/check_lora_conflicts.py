"""How the LoRAs of a stack get along."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._types import LORA_STACK, REPORT, StackRow
from ._ui import show
from ._workbench import NO_BASE, check_stack


class CheckLoraConflicts(io.ComfyNode):
    """Compares the changes of all LoRAs of a stack, and suggests strengths that fit."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_CheckLoraConflicts",
            display_name="Check LoRA Conflicts",
            category="Lorasmith/4 Combine",
            description=(
                "Compares what the LoRAs of a stack do to the weights: how loud each is, where they add up or "
                "cancel, and strengths that fit together. It looks at weights, not at pictures."
            ),
            search_aliases=["lora conflict", "balance loras", "lora strength", "lora overlap", "lora compatibility"],
            inputs=[
                LORA_STACK.Input("lora_stack", tooltip="The LoRAs and the strengths they are used at."),
                io.Combo.Input(
                    "checkpoint",
                    options=[NO_BASE, *host.checkpoint_names()],
                    default=NO_BASE,
                    tooltip="The model they are used on: tells which layers fit, and how large the changes are.",
                ),
                io.Boolean.Input(
                    "lock_first",
                    default=False,
                    tooltip="The first LoRA of the stack (the person, say) keeps its strength; the others make way.",
                ),
            ],
            outputs=[
                LORA_STACK.Output(
                    "balanced_stack",
                    display_name="balanced_stack",
                    tooltip="The same LoRAs at the suggested strengths. The stack you gave stays as it is.",
                ),
                io.String.Output("verdict", display_name="verdict", tooltip="The verdict in a word or two."),
                REPORT.Output("report", display_name="report", tooltip="Numbers and sentences, also as data."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, lora_stack: list[StackRow], checkpoint: str, lock_first: bool) -> io.NodeOutput:
        balanced, verdict, report, picture = check_stack(lora_stack, checkpoint, lock_first)
        return io.NodeOutput(balanced, verdict, report, ui=show(report, [picture]))
