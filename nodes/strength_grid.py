"""How strong should a LoRA be?"""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import _bench_grid as grid
from . import _host as host
from ._bench_eyes import BUILT_IN, eyes_input
from ._bench_inputs import model_inputs, negative_input, sampling_inputs
from ._bench_test import Asked
from ._bench_ui import grid_payload
from ._types import LORA_STACK, REPORT, StackRow
from ._ui import show


class StrengthGrid(io.ComfyNode):
    """One scored cell for every combination of strengths, and the one to use."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_StrengthGrid",
            display_name="Strength Grid",
            category="Lorasmith/5 Test",
            description=(
                "Tries a LoRA at several strengths, against a second one or against earlier steps of its training, "
                "scores every cell and marks the one to use. The base is loaded once."
            ),
            search_aliases=["xy plot", "lora strength", "xyz grid", "compare strengths", "lora weight"],
            inputs=[
                io.String.Input(
                    "strengths", default="0.4, 0.6, 0.8, 1, 1.2", tooltip="Of the first LoRA of the stack: the columns."
                ),
                *sampling_inputs(),
                io.String.Input(
                    "name",
                    default="my_grid",
                    tooltip="Folder of the pictures in output/lorasmith_tests. Nothing is overwritten.",
                ),
                *model_inputs("The LoRAs; those behind the first two keep their strengths.", lazy=False),
                io.String.Input(
                    "second_strengths",
                    default="",
                    optional=True,
                    tooltip="Of the second LoRA of the stack: the rows. Empty: as it is in the stack.",
                ),
                io.Boolean.Input(
                    "checkpoints",
                    default=False,
                    optional=True,
                    tooltip="Also the saved steps of the first LoRA's training beside it (my_lora-000500.safetensors).",
                ),
                negative_input(),
                eyes_input(),
            ],
            outputs=[
                io.Image.Output("sheet", display_name="sheet", tooltip="All cells with their scores, labelled."),
                LORA_STACK.Output(
                    "lora_stack", display_name="lora_stack", tooltip="The stack at the suggested strengths."
                ),
                io.Float.Output(
                    "strength", display_name="strength", tooltip="The suggested strength of the first LoRA."
                ),
                REPORT.Output("report", display_name="report", tooltip="Every score, and why this cell."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, strengths: str, first_seed: int, per_prompt: int, shapes: str, side_px: int, steps: int, cfg: float,
        sampler_name: str, scheduler: str, name: str, model: Any = None, clip: Any = None, vae: Any = None,
        lora_stack: list[StackRow] | None = None, suite: Any = None, dataset: Any = None, second_strengths: str = "",
        checkpoints: bool = False, negative: str = "", clip_model: str = BUILT_IN,
    ) -> io.NodeOutput:  # fmt: skip
        how = host.Sampling(steps, cfg, sampler_name, scheduler)
        asked = Asked(suite, first_seed, per_prompt, shapes, side_px, how, negative, clip_model)
        cells, columns = grid.cells_of(lora_stack or [], strengths, second_strengths, checkpoints)
        done = grid.run_grid(model, clip, vae, cells, columns, asked, dataset, name)
        stack, report = grid.suggested_stack(done, lora_stack or []), grid.grid_report(done)
        ui = show(grid.short(done)) | grid_payload(done)
        return io.NodeOutput(host.image_batch([grid.grid_sheet(done)]), stack, stack[0][1], report, ui=ui)
