"""Which photos are worth training on, and why the others are not."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lora_train.dataset.overrides import Overrides
from ..lora_train.errors import BadInputError
from . import _host as host
from ._dataset import judge_photos, who_looks
from ._sheet import sheet_payload
from ._text import audit_report
from ._types import DATASET, FACE_LANDMARKER, REPORT
from ._ui import show

NO_CLIP = "none"


class AuditDataset(io.ComfyNode):
    """Measures every photo and judges it by limits; nothing is deleted."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_AuditDataset",
            display_name="Audit Photos",
            category="Lorasmith/1 Dataset",
            description=(
                "Judges every photo and the whole set, and shows both as a contact sheet in which you have the "
                "last word. Photos that are left out stay where they are."
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
                io.Combo.Input(
                    "purpose",
                    options=["character", "style", "object"],
                    default="character",
                    optional=True,
                    tooltip="What the LoRA is for. Faces and framing are judged for a character only.",
                ),
                io.Combo.Input(
                    "clip_model",
                    options=[NO_CLIP, *host.clip_names()],
                    default=NO_CLIP,
                    optional=True,
                    advanced=True,
                    tooltip=(
                        "open_clip weights in models/lorasmith that answer questions in words: mirror selfie? "
                        "held object? Without them these checks are not made."
                    ),
                ),
                io.String.Input(
                    "overrides",
                    default="",
                    optional=True,
                    socketless=True,
                    extra_dict={"widgetType": "LORASMITH_SHEET"},
                    tooltip="What you decided in the contact sheet. Empty: the verdicts alone.",
                ),
                FACE_LANDMARKER.Input(
                    "face_landmarker",
                    optional=True,
                    tooltip=(
                        "Faces as ComfyUI's own MediaPipe landmarker sees them, in the place of the pack's models. "
                        "Not needed where those are there."
                    ),
                ),
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their verdicts."),
                REPORT.Output("report", display_name="report", tooltip="Counts, reasons and warnings."),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, overrides: str | None = None) -> bool | str:
        try:
            Overrides.from_text(overrides or "")
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return who_looks()

    @classmethod
    def execute(
        cls,
        dataset: Any,
        min_side_px: int = 0,
        max_blur_px: float = 0.0,
        purpose: str = "character",
        clip_model: str = NO_CLIP,
        overrides: str = "",
        face_landmarker: Any = None,
    ) -> io.NodeOutput:
        limits = {"min_side_px": min_side_px, "max_blur_px": max_blur_px}
        clip = "" if clip_model == NO_CLIP else clip_model
        judged, matched = judge_photos(dataset, overrides, purpose, clip, face_landmarker, **limits)
        report = audit_report(judged)
        sheet = sheet_payload(judged, matched, overrides)
        return io.NodeOutput(judged, report, ui=show(report) | {"lorasmith_sheet": [sheet]})
