"""Why the pictures are as they are, and what to change."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._bench_diagnose import diagnose_all, diagnosis_payload, diagnosis_report
from ._types import DATASET, PLAN, REPORT, TEST
from ._ui import show


class Diagnose(io.ComfyNode):
    """Ranked causes with their evidence; cures that change the graph with one click."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_Diagnose",
            display_name="Diagnose",
            category="Lorasmith/5 Test",
            description=(
                "Looks at the test, the photos and the training together and says what is wrong, why, and what to "
                "change. A cure is a button that changes the graph; undo takes it back."
            ),
            search_aliases=["why overfit", "fix lora", "troubleshoot lora", "advice", "problems"],
            inputs=[
                DATASET.Input("dataset", optional=True, tooltip="The training photos, audited and captioned."),
                PLAN.Input("plan", optional=True, tooltip="From Plan Training: what suits these photos."),
                io.String.Input(
                    "lora_name",
                    default="",
                    optional=True,
                    force_input=True,
                    tooltip="From Train LoRA: its training run is looked at. Left out: the tested LoRA.",
                ),
                TEST.Input("test", optional=True, tooltip="From Test LoRA or Check Diversity."),
            ],
            outputs=[
                REPORT.Output("report", display_name="report", tooltip="Causes and cures, in words and as data."),
                io.String.Output("text", display_name="text", tooltip="The same as text."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, dataset: Any = None, plan: Any = None, lora_name: str = "", test: Any = None) -> io.NodeOutput:
        found, missing = diagnose_all(dataset, test, lora_name, plan)
        report = diagnosis_report(found, missing)
        short = type(report)(report.title, "", report.tone, report.details)  # the view says the rest
        ui = show(short) | diagnosis_payload(found, missing, dataset, test)
        return io.NodeOutput(report, str(report), ui=ui)
