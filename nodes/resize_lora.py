"""A smaller LoRA."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._new_lora import name_input, name_problem, new_lora_outputs, precision_input
from ._ui import show
from ._workbench import resize_lora


class ResizeLora(io.ComfyNode):
    """Cuts every layer to its strongest directions."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ResizeLora",
            display_name="Resize LoRA",
            category="Lorasmith/4 Combine",
            description=(
                "Makes a LoRA smaller by rank, by the energy to keep, or by file size. Nothing can lose less at the "
                "same rank; what was lost is told."
            ),
            search_aliases=["shrink lora", "lora rank", "compress lora", "resize_lora", "dynamic rank"],
            inputs=[
                io.Combo.Input("lora_name", options=host.lora_choices(), tooltip="A LoRA from ComfyUI's LoRA folders."),
                name_input("smaller"),
                io.Combo.Input(
                    "by",
                    options=["rank", "energy", "size"],
                    default="rank",
                    tooltip="Which of the three numbers below counts.",
                ),
                io.Int.Input("rank", default=16, min=1, max=1024, tooltip="by rank: the rank of every layer, at most."),
                io.Float.Input(
                    "energy",
                    default=0.95,
                    min=0.01,
                    max=1.0,
                    step=0.01,
                    tooltip="by energy: the share of each layer's energy to keep; ranks then differ.",
                ),
                io.Float.Input(
                    "size_mb",
                    default=50.0,
                    min=0.1,
                    max=10000.0,
                    step=0.1,
                    tooltip="by size: the largest file in MB; the ranks go where they save most.",
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
    def execute(
        cls, lora_name: str, name: str, by: str, rank: int, energy: float, size_mb: float, precision: str
    ) -> io.NodeOutput:
        made = resize_lora(lora_name, name, by, rank, energy, size_mb, precision)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
