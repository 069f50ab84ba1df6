"""The pictures and captions of a dataset for any other node."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._pictures_io import decode
from ._text import decoded_report
from ._types import DATASET
from ._ui import show


class DatasetToImages(io.ComfyNode):
    """Decodes the kept photos, cropped where they have a crop."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_DatasetToImages",
            display_name="Dataset to Images",
            category="Lorasmith/1 Dataset",
            description=(
                "Gives the kept photos and their captions as ComfyUI's own lists of IMAGE and STRING: crops as "
                "they are trained, uncropped photos upright."
            ),
            search_aliases=["export images", "image list", "captions", "decode dataset"],
            inputs=[
                DATASET.Input("dataset", tooltip="From any node of this group; rejected photos are left out."),
                io.Int.Input(
                    "max_side_px",
                    default=1024,
                    min=0,
                    max=16384,
                    step=8,
                    optional=True,
                    tooltip="Longest side of photos without a crop. 0: as large as they are, which takes much memory.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "images", display_name="images", is_output_list=True, tooltip="One picture for each crop or photo."
                ),
                io.String.Output(
                    "captions",
                    display_name="captions",
                    is_output_list=True,
                    tooltip="Their captions, in the same order.",
                ),
                io.String.Output(
                    "names", display_name="names", is_output_list=True, tooltip="Their file names, without suffix."
                ),
            ],
            has_intermediate_output=True,
        )

    @classmethod
    def execute(cls, dataset: Any, max_side_px: int = 1024) -> io.NodeOutput:
        found = decode(dataset, max_side_px)
        return io.NodeOutput(found.images, found.captions, found.names, ui=show(decoded_report(found)))
