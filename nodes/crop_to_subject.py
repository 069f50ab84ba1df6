"""Training pictures are cut around the subject."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import _host as host
from ._pictures import crops_sheet
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
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their crops."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, dataset: Any, base: Base | None = None, resolution_px: int = 0) -> io.NodeOutput:
        from ..lora_train.crop import crop_dataset

        side_px = resolution_px or (base.resolution_px if base else DEFAULT_RESOLUTION_PX)
        cropped = crop_dataset(dataset, side_px, host.HostObserver())
        return io.NodeOutput(cropped, ui=show(crop_report(cropped), [crops_sheet(cropped)]))
