"""What every node that writes a LoRA file asks for and gives."""

from __future__ import annotations

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from . import _host as host
from ._types import LORA_STACK, REPORT

PRECISIONS = ["same as the input", "fp16", "bf16", "fp32"]


def name_input(default: str) -> io.String.Input:
    """The name of the new file."""
    tip = "Name of the new file; 'people/anna' makes a sub-folder. Nothing is overwritten."
    return io.String.Input("name", default=default, tooltip=tip)


def precision_input() -> io.Combo.Input:
    """The number type of the new file, one of :data:`PRECISIONS`."""
    tip = "Number type of the new file. fp16 is usual; fp32 is exact and twice as large."
    return io.Combo.Input("precision", options=PRECISIONS, default=PRECISIONS[0], tooltip=tip)


def new_lora_outputs() -> list[io.Output]:
    """The new file by name, as a stack, and what was done."""
    stack_tip = "The new LoRA at strength 1, for Apply LoRA Stack."
    return [
        io.String.Output("lora_name", display_name="lora_name", tooltip="The new LoRA's name in the lists."),
        LORA_STACK.Output("lora_stack", display_name="lora_stack", tooltip=stack_tip),
        REPORT.Output("report", display_name="report", tooltip="What was done, in words and as data."),
    ]


def name_problem(name: str | None) -> bool | str:
    """For ``validate_inputs``: True, or why a new LoRA cannot have this name."""
    try:
        host.new_lora_path("linked" if name is None else name)
    except BadInputError as error:
        return str(error)
    return True
