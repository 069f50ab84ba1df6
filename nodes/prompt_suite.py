"""Test prompts, from simple to hard."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import _bench_suite as suites
from ._types import DATASET, SUITE
from ._ui import show


class PromptSuite(io.ComfyNode):
    """A set of prompts with the trigger word in place."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_PromptSuite",
            display_name="Prompt Suite",
            category="Lorasmith/5 Test",
            description=(
                "Test prompts from simple to hard, each asking for one thing that can be looked for in the "
                "picture. Your own sets are JSON files in ComfyUI's user folder, in lorasmith/suites."
            ),
            search_aliases=["test prompts", "prompt list", "validation prompts", "evaluate lora"],
            inputs=[
                io.Combo.Input(
                    "suite",
                    options=suites.suite_choices(),
                    default="character",
                    tooltip="What is tested: a person, a style, an object, the starter's own words, or your own set.",
                ),
                io.Combo.Input(
                    "language",
                    options=suites.LANGUAGES,
                    default="en",
                    tooltip="Language of the prompts. Most base models read English best.",
                ),
                io.String.Input(
                    "trigger",
                    default="ohwx",
                    tooltip="The word that calls the LoRA up. Empty: the one of the dataset.",
                ),
                io.String.Input(
                    "class_word",
                    default="person",
                    tooltip="What the subject is: woman, dog, chair. Empty: the one of the dataset.",
                ),
                io.Combo.Input(
                    "level",
                    options=suites.LEVELS,
                    default="hard",
                    tooltip="The hardest prompts that are asked; hard asks all.",
                ),
                io.Int.Input(
                    "most_prompts",
                    default=0,
                    min=0,
                    max=200,
                    optional=True,
                    tooltip="At most so many prompts, spread from simple to hard. 0: all.",
                ),
                DATASET.Input(
                    "dataset",
                    optional=True,
                    tooltip="Captioned photos: trigger and class word come from here where the fields are empty.",
                ),
            ],
            outputs=[
                SUITE.Output("suite", display_name="suite", tooltip="The prompts, for Test LoRA and Strength Grid."),
                io.String.Output(
                    "prompts",
                    display_name="prompts",
                    is_output_list=True,
                    tooltip="The prompts as a list: a node that takes one text runs once for each.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, suite: str | None = None, language: str | None = None) -> bool | str:
        return suites.suite_problem(suite, language)

    @classmethod
    def execute(
        cls,
        suite: str,
        language: str,
        trigger: str,
        class_word: str,
        level: str,
        most_prompts: int = 0,
        dataset: Any = None,
    ) -> io.NodeOutput:
        chosen, report = suites.choose_suite(suite, language, trigger, class_word, level, most_prompts, dataset)
        return io.NodeOutput(chosen, [prompt.text for prompt in chosen.prompts], ui=show(report))
