"""A LoRA from two checkpoints."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._new_lora import name_input, name_problem, new_lora_outputs
from ._ui import show
from ._workbench import extract_lora


class ExtractLora(io.ComfyNode):
    """Turns the difference of two checkpoints into a LoRA."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ExtractLora",
            display_name="Extract LoRA",
            category="Lorasmith/4 Combine",
            description=(
                "Makes a LoRA of what training changed in a checkpoint. Says how much of the difference the rank holds "
                "and what it misses."
            ),
            search_aliases=["lora from checkpoint", "checkpoint difference", "svd", "extract lora"],
            inputs=[
                io.Combo.Input("base", options=host.checkpoint_names(), tooltip="The checkpoint before training."),
                io.Combo.Input("tuned", options=host.checkpoint_names(), tooltip="The checkpoint after training."),
                name_input("extracted"),
                io.Int.Input(
                    "rank", default=32, min=1, max=512, tooltip="Rank of the LoRA: more holds more of the difference."
                ),
                io.Boolean.Input("text_encoder", default=True, tooltip="Also what changed in the text encoders."),
            ],
            outputs=new_lora_outputs(),
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        return name_problem(name)

    @classmethod
    def execute(cls, base: str, tuned: str, name: str, rank: int, text_encoder: bool) -> io.NodeOutput:
        made = extract_lora(base, tuned, name, rank, text_encoder)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
