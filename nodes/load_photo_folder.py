"""A folder of photos becomes a dataset."""

from __future__ import annotations

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from . import _host as host
from ._dataset import read_photos
from ._text import folder_report
from ._types import DATASET
from ._ui import show


class LoadPhotoFolder(io.ComfyNode):
    """Reads what is in a folder; photos are opened later, where their pixels are needed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_LoadPhotoFolder",
            display_name="Load Photo Folder",
            category="Lorasmith/1 Dataset",
            description=(
                "Reads a folder of photos (JPEG, PNG, WebP; HEIC and AVIF where Pillow can). Photos are "
                "never moved or changed. A text file with a photo's name is its caption."
            ),
            search_aliases=["dataset", "images from folder", "lora training", "load images"],
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    placeholder="my_photos",
                    tooltip="A folder inside ComfyUI's input folder, or a full path (sub-folders are left out).",
                )
            ],
            outputs=[DATASET.Output("dataset", display_name="dataset", tooltip="All readable photos, not judged yet.")],
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, folder: str | None = None) -> bool | str:
        if folder is None:  # comes over a link: known only when the graph runs
            return True
        try:
            host.photo_folder(folder)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, folder: str | None = None) -> str:
        from ..lora_train.dataset.scan import fingerprint

        return fingerprint(host.photo_folder(folder)) if folder else ""

    @classmethod
    def execute(cls, folder: str) -> io.NodeOutput:
        dataset = read_photos(host.photo_folder(folder))
        return io.NodeOutput(dataset, ui=show(folder_report(dataset)))
