"""Every photo gets the words it is trained with."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..lora_train.dataset.edits import parse_edits
from ..lora_train.errors import BadInputError
from ._text import caption_report
from ._types import DATASET
from ._ui import show


class CaptionDataset(io.ComfyNode):
    """Puts the trigger word into every caption; captions from text files are kept."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_CaptionDataset",
            display_name="Caption Photos",
            category="Lorasmith/1 Dataset",
            description=(
                "Gives every photo a caption with your trigger word. A caption in a text file beside the "
                "photo is kept; where it lacks the trigger word, the template goes before it."
            ),
            search_aliases=["trigger word", "caption", "tags", "instance prompt"],
            inputs=[
                DATASET.Input("dataset", tooltip="From Load Photo Folder, Audit Photos or Crop to Subject."),
                io.String.Input(
                    "trigger",
                    default="ohwx",
                    tooltip="The new word for your subject: short, and one the base model does not know yet.",
                ),
                io.String.Input(
                    "class_word",
                    default="person",
                    tooltip="What the subject is, in one common word: person, woman, dog, mug, style ...",
                ),
                io.String.Input(
                    "template",
                    default="photo of {trigger} {class_word}",
                    tooltip="Caption of photos without a text file; the two words in braces are filled in.",
                    optional=True,
                    advanced=True,
                ),
                io.Boolean.Input(
                    "tags",
                    default=True,
                    optional=True,
                    tooltip="Also name what the audit measured and what varies: framing, view, smile, place.",
                ),
                io.String.Input(
                    "replace",
                    default="",
                    multiline=True,
                    optional=True,
                    placeholder="sofa -> couch",
                    tooltip="Replace words in all captions, one 'old -> new' a line; nothing after the arrow deletes.",
                ),
            ],
            outputs=[
                DATASET.Output("dataset", display_name="dataset", tooltip="The photos with their captions."),
                io.String.Output(
                    "prompt",
                    display_name="prompt",
                    tooltip="The filled-in template, ready for a text encoder.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, replace: str | None = None) -> bool | str:
        try:
            parse_edits(replace or "")
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        dataset: Any,
        trigger: str,
        class_word: str,
        template: str = "photo of {trigger} {class_word}",
        tags: bool = True,
        replace: str = "",
    ) -> io.NodeOutput:
        from ..lora_train.dataset.captions import caption_dataset

        edits = parse_edits(replace)
        captioned = caption_dataset(dataset, trigger, class_word, template, tags=tags, edits=edits)
        prompt = template.format(trigger=trigger.strip(), class_word=class_word.strip())
        return io.NodeOutput(captioned, prompt, ui=show(caption_report(captioned)))
