"""The same LoRA under other names."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._new_lora import name_input, name_problem, new_lora_outputs
from ._ui import show
from ._workbench import convert_lora


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
                io.Combo.Input("lora_name", options=host.lora_choices(), tooltip="A LoRA from ComfyUI's LoRA folders."),
                name_input("converted"),
                io.Combo.Input(
                    "form",
                    options=["kohya", "diffusers", "peft", "core"],
                    default="kohya",
                    tooltip="kohya is read by most programs; core is ComfyUI's own; peft holds one model only.",
                ),
            ],
            outputs=new_lora_outputs(),
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        return name_problem(name)

    @classmethod
    def execute(cls, lora_name: str, name: str, form: str) -> io.NodeOutput:
        made = convert_lora(lora_name, name, form)
        return io.NodeOutput(made.name, made.stack, made.report, ui=show(made.report))
