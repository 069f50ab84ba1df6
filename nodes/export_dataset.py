"""The dataset as a folder for other trainers."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from . import _host as host
from ._pictures_io import export
from ._text import export_report
from ._types import DATASET
from ._ui import show

LAYOUTS = ["kohya", "ai-toolkit", "onetrainer", "huggingface", "folder"]


class ExportDataset(io.ComfyNode):
    """Writes crops and captions in the layout that a trainer expects."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_ExportDataset",
            display_name="Export Dataset",
            category="Lorasmith/1 Dataset",
            description=(
                "Writes the kept photos, cropped and captioned, into a folder that kohya's scripts, ai-toolkit, "
                "OneTrainer or Hugging Face read. The photos themselves stay as they are."
            ),
            search_aliases=["kohya", "ai-toolkit", "onetrainer", "metadata.jsonl", "save dataset"],
            inputs=[
                DATASET.Input(
                    "dataset", tooltip="Best cropped and captioned; photos without a crop are written as they are."
                ),
                io.String.Input(
                    "name",
                    default="my_dataset",
                    tooltip="Folder in output/lorasmith_datasets. Files that no export wrote are never replaced.",
                ),
                io.Combo.Input(
                    "layout",
                    options=LAYOUTS,
                    default="kohya",
                    tooltip="Which trainer will read it; folder: pictures with text files.",
                ),
                io.Int.Input(
                    "repeats",
                    default=10,
                    min=1,
                    max=1000,
                    optional=True,
                    tooltip="How often a picture is seen in an epoch; for kohya and OneTrainer.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "folder", display_name="folder", tooltip="What to give to the trainer, as a full path."
                )
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        try:
            if name is not None:  # None: comes over a link
                host.dataset_folder(name)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, dataset: Any, name: str, layout: str, repeats: int = 10) -> io.NodeOutput:
        done = export(dataset, name, layout, repeats)
        return io.NodeOutput(str(done.folder), ui=show(export_report(done)))
