"""Which photos are worth training on, and why the others are not."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._dataset import judge_photos
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
                    "max_blur_px",
                    default=0.0,
                    min=0.0,
                    max=100.0,
                    step=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="Reject photos whose edges are wider than this as blurry. 0: the usual limit.",
                ),
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their verdicts."),
                REPORT.Output("report", display_name="report", tooltip="Counts, reasons and warnings."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, dataset: Any, min_side_px: int = 0, max_blur_px: float = 0.0) -> io.NodeOutput:
        judged = judge_photos(dataset, min_side_px=min_side_px, max_blur_px=max_blur_px)
        report = audit_report(judged)
        return io.NodeOutput(judged, report, ui=show(report, [audit_sheet(judged)]))
