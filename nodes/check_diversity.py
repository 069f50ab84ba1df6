"""Are the results varied, and still the same subject?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comfy_api.latest import io

from ._bench_eyes import BUILT_IN, eyes_input
from ._bench_saved import Judged
from ._diversity import check
from ._types import DATASET, REPORT, TEST


class CheckDiversity(io.ComfyNode):
    """Judges generated pictures: good, overfit, underfit, copies of the training photos ..."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_CheckDiversity",
            display_name="Check Diversity",
            category="Lorasmith/5 Test",
            description=(
                "Looks at generated pictures, a batch or a list, and gives one verdict with advice: are they varied, "
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
                    tooltip="What the pictures were asked to show: one for all, or a list with one for each.",
                ),
                eyes_input(),
            ],
            outputs=[
                io.String.Output("verdict", display_name="verdict", tooltip="The verdict in a word or two."),
                REPORT.Output("report", display_name="report", tooltip="Verdict, numbers and advice."),
                TEST.Output("test", display_name="test", tooltip="The judgement, for Diagnose."),
            ],
            is_output_node=True,
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        images: list[Any],
        base_images: list[Any] | None = None,
        dataset: list[Any] | None = None,
        prompt: Sequence[str] = "",
        clip_model: Sequence[str] = BUILT_IN,
    ) -> io.NodeOutput:
        prompts, eyes = ([value] if isinstance(value, str) else list(value) for value in (prompt, clip_model))
        done = check(images, base_images or [], dataset[0] if dataset else None, prompts, eyes[0])
        return io.NodeOutput(done.found.verdict, done.report, Judged(done.found), ui=done.ui)
