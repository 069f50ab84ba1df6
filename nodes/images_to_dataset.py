"""Pictures from any other node become a dataset."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from . import _host as host
from ._pictures_io import as_dataset
from ._text import folder_report
from ._types import DATASET
from ._ui import show


class ImagesToDataset(io.ComfyNode):
    """Saves pictures as PNG with their captions and reads them as photos."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ImagesToDataset",
            display_name="Images to Dataset",
            category="Lorasmith/1 Dataset",
            description=(
                "Makes a dataset of pictures that come from other nodes: lists or batches of IMAGE, with captions. "
                "They are saved as PNG into ComfyUI's output folder, or its temporary one."
            ),
            search_aliases=["save images", "regularization images", "synthetic dataset", "image list"],
            inputs=[
                io.Image.Input("images", tooltip="Pictures of any size, as a list, a batch, or both."),
                io.String.Input(
                    "captions",
                    default="",
                    force_input=True,
                    optional=True,
                    tooltip="One text for each picture, or one for all.",
                ),
                io.String.Input(
                    "name",
                    default="",
                    optional=True,
                    tooltip="Folder in output/lorasmith_datasets. Empty: ComfyUI's temporary folder.",
                ),
            ],
            outputs=[DATASET.Output("dataset", display_name="dataset", tooltip="The pictures, not judged yet.")],
            is_input_list=True,
            has_intermediate_output=True,
        )

    @classmethod
    def validate_inputs(cls, name: Any = None) -> bool | str:
        try:
            for text in name if isinstance(name, list) else [name]:
                if text and text.strip():  # None: comes over a link
                    host.dataset_folder(text)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, images: list[Any], captions: Any = "", name: Any = "") -> io.NodeOutput:
        texts = [text for text in captions or [] if text is not None]
        dataset = as_dataset(images, [] if texts == [""] else texts, name[0] if name else "")
        return io.NodeOutput(dataset, ui=show(folder_report(dataset)))
