"""The same LoRA under other names."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._types import LORA_STACK, REPORT
from ._ui import show
from ._workbench import convert_lora, name_problem


class ConvertLora(io.ComfyNode):
    """Renames a LoRA's layers for another program."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ConvertLora",
            display_name="Convert LoRA",
            category="Lorasmith/4 Combine",
            description=(
                "Renames the layers of a LoRA: kohya's names (ComfyUI, A1111, Forge, diffusers), those of "
                "diffusers, of peft, or ComfyUI's own. Alpha stays right in each."
            ),
            search_aliases=["kohya", "diffusers", "peft", "lora format", "rename keys"],
            inputs=[
                io.Combo.Input("lora_name", options=host.lora_names(), tooltip="A LoRA from ComfyUI's LoRA folders."),
                io.String.Input(
                    "name",
                    default="converted",
                    tooltip="Name of the new file; 'people/anna' makes a sub-folder. Nothing is overwritten.",
                ),
                io.Combo.Input(
                    "form",
                    options=["kohya", "diffusers", "peft", "core"],
                    default="kohya",
                    tooltip="kohya is read by most programs; core is ComfyUI's own; peft holds one model only.",
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
    def execute(cls, lora_name: str, name: str, form: str) -> io.NodeOutput:
        made = convert_lora(lora_name, name, form)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
