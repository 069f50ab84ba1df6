"""Which photos are worth training on, and why the others are not."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import _host as host
from ._pictures import audit_sheet
from ._text import audit_report
from ._types import DATASET, REPORT
from ._ui import show


class AuditDataset(io.ComfyNode):
    """Measures every photo and judges it by limits; nothing is deleted."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_AuditDataset",
            display_name="Audit Photos",
            category="Lorasmith/1 Dataset",
            description=(
                "Judges every photo: unreadable, too small, blurred, too dark, too bright, or a duplicate. "
                "Rejected photos are left out of the training and stay where they are."
            ),
            search_aliases=["filter photos", "blur", "duplicates", "quality", "curate"],
            inputs=[
                DATASET.Input("dataset", tooltip="From Load Photo Folder."),
                io.Int.Input(
                    "min_side_px",
                    default=0,
                    min=0,
                    max=8192,
                    optional=True,
                    advanced=True,
                    tooltip="Reject photos whose shorter side has fewer pixels. 0: the usual limit.",
                ),
                io.Float.Input(
                    "min_sharpness",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.01,
                    optional=True,
                    advanced=True,
                    tooltip="Reject photos less sharp than this as blurred. 0: the usual limit.",
                ),
                io.Int.Input(
                    "duplicate_distance",
                    default=0,
                    min=0,
                    max=64,
                    optional=True,
                    advanced=True,
                    tooltip="Photos whose hashes differ by so many bits or fewer are doubles. 0: usual.",
                ),
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their verdicts."),
                REPORT.Output("report", display_name="report", tooltip="Counts, reasons and warnings."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, dataset: Any, min_side_px: int = 0, min_sharpness: float = 0.0, duplicate_distance: int = 0
    ) -> io.NodeOutput:
        from ..lora_train.audit import audit

        judged = audit(dataset, host.HostObserver())
        report = audit_report(judged)
        return io.NodeOutput(judged, report, ui=show(report, [audit_sheet(judged)]))
