"""Photos to try everything with, before you use your own."""

from __future__ import annotations

from comfy_api.latest import io

from ..lora_train.say import say
from . import _host as host
from ._demo import KINDS, demo_folder
from ._ui import Report, show


class DemoPhotos(io.ComfyNode):
    """Writes the demo photos into the input folder, once."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_DemoPhotos",
            display_name="Demo Photos",
            category="Lorasmith/1 Dataset",
            description=(
                "Photos of one person, drawn by Lorasmith itself: good ones and typical bad ones (blurred, "
                "dark, doubled, too small); or pictures of many people in one style. They are written into "
                "ComfyUI's input folder once."
            ),
            search_aliases=["example photos", "sample dataset", "lora training", "starter"],
            inputs=[
                io.Combo.Input(
                    "kind",
                    options=list(KINDS),
                    default="person",
                    optional=True,
                    tooltip="One person in many scenes, or many people in one style: a print in three inks.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "folder",
                    display_name="folder",
                    tooltip="The folder with the demo photos; plug it into Load Photo Folder.",
                )
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, kind: str = "person") -> io.NodeOutput:
        folder, count = demo_folder(host.input_folder(), kind)
        report = Report(say("node.demo_photos", n=count), say("node.in_input", folder=folder.name))
        return io.NodeOutput(str(folder), ui=show(report))
