"""What a LoRA file is."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._types import REPORT
from ._ui import show
from ._workbench import describe_lora


class InspectLora(io.ComfyNode):
    """Reads a file and says what it is."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_InspectLora",
            display_name="Inspect LoRA",
            category="Lorasmith/4 Combine",
            description=(
                "Says what a LoRA is: base family, kind, rank, names, trigger words, tags and training facts, and the "
                "hashes under which Civitai knows it."
            ),
            search_aliases=["lora info", "lora metadata", "trigger words", "lora hash", "autov3"],
            inputs=[
                io.Combo.Input("lora_name", options=host.lora_choices(), tooltip="A LoRA from ComfyUI's LoRA folders."),
                io.Boolean.Input(
                    "hashes",
                    default=True,
                    tooltip="Also SHA-256, AutoV2 and AutoV3; the whole file is read for them.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "trigger_words",
                    display_name="trigger_words",
                    tooltip="The words that call it up, for the prompt; empty when the file names none.",
                ),
                REPORT.Output("report", display_name="report", tooltip="What the file is, in words and as data."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, lora_name: str, hashes: bool) -> io.NodeOutput:
        words, report = describe_lora(lora_name, hashes)
        return io.NodeOutput(words, report, ui=show(report))
