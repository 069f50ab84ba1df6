"""Are the results varied, and still the same subject?"""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._diversity import check
from ._types import DATASET, REPORT
from ._ui import show


class CheckDiversity(io.ComfyNode):
    """Judges generated pictures: good, overfit, underfit, copies of the training photos ..."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_CheckDiversity",
            display_name="Check Diversity",
            category="Lorasmith/5 Test",
            description=(
                "Looks at a batch of generated pictures and gives one verdict with advice: are they varied, "
                "do they show the subject, do they follow the prompt, do they copy the training photos?"
            ),
            search_aliases=["overfit", "evaluate lora", "test lora", "similarity", "mode collapse"],
            inputs=[
                io.Image.Input("images", tooltip="Pictures made with the LoRA, at least 4, each from another seed."),
                io.Image.Input(
                    "base_images",
                    optional=True,
                    tooltip="Same prompt and seeds without the LoRA: how varied the base is by itself.",
                ),
                DATASET.Input(
                    "dataset",
                    optional=True,
                    tooltip="The training photos: tells whether the subject is met and nothing is copied.",
                ),
                io.String.Input(
                    "prompt",
                    default="",
                    optional=True,
                    tooltip="What the pictures were asked to show; empty leaves this question out.",
                ),
            ],
            outputs=[
                io.String.Output("verdict", display_name="verdict", tooltip="The verdict in a word or two."),
                REPORT.Output("report", display_name="report", tooltip="Verdict, numbers and advice."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, images: Any, base_images: Any = None, dataset: Any = None, prompt: str = "") -> io.NodeOutput:
        verdict, report, picture = check(images, base_images, dataset, prompt)
        return io.NodeOutput(verdict, report, ui=show(report, [picture]))
