"""Training pictures are cut around the subject."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._dataset import who_looks
from ._pictures import crops_sheet
from ._pictures_io import crop_photos
from ._text import crop_report
from ._types import BASE, DATASET, Base
from ._ui import show

DEFAULT_RESOLUTION_PX = 512


class CropToSubject(io.ComfyNode):
    """Chooses a crop around the subject and a size bucket for every kept photo."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_CropToSubject",
            display_name="Crop to Subject",
            category="Lorasmith/1 Dataset",
            description=(
                "Finds the subject in every kept photo, crops around it, and sorts the crops into size "
                "buckets, so that nothing is squashed and little is thrown away."
            ),
            search_aliases=["crop face", "smart crop", "bucket", "resize", "aspect ratio"],
            inputs=[
                DATASET.Input("dataset", tooltip="From Audit Photos; rejected photos are not cropped."),
                BASE.Input("base", optional=True, tooltip="Gives the resolution that the model was made for."),
                io.Int.Input(
                    "resolution_px",
                    default=0,
                    min=0,
                    max=2048,
                    step=8,
                    optional=True,
                    tooltip="Side of a square crop. 0 takes the base model's own, or 512 without a base.",
                ),
                io.Combo.Input(
                    "framing",
                    options=["auto", "portrait", "half", "full"],
                    default="auto",
                    optional=True,
                    tooltip="How much of a person to show. auto: the most that the photo has, feet if it has them.",
                ),
                io.Int.Input(
                    "crops_per_photo",
                    default=1,
                    min=1,
                    max=3,
                    optional=True,
                    tooltip="2 and 3 add nearer crops of the same person. All are trained; they count as one photo.",
                ),
                io.Boolean.Input(
                    "remove_borders",
                    default=True,
                    optional=True,
                    advanced=True,
                    tooltip="Cut off empty borders: bars of video stills, frames of scans and screenshots.",
                ),
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their crops."),
            ],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return who_looks()

    @classmethod
    def execute(
        cls,
        dataset: Any,
        base: Base | None = None,
        resolution_px: int = 0,
        framing: Any = "auto",
        crops_per_photo: int = 1,
        remove_borders: bool = True,
    ) -> io.NodeOutput:
        from ..lora_train.crop import CropSettings

        side_px = resolution_px or (base.resolution_px if base else DEFAULT_RESOLUTION_PX)
        cropped = crop_photos(dataset, CropSettings(side_px, framing, crops_per_photo, remove_borders))
        return io.NodeOutput(cropped, ui=show(crop_report(cropped), [crops_sheet(cropped)]))
