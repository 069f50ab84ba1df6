"""The model that a LoRA is trained on, and sampled with."""

from __future__ import annotations

from comfy_api.latest import io

from ..lora_train.errors import BadInputError
from ._bases import STARTER, base_file, choices, load_base
from ._types import BASE


class LoadBase(io.ComfyNode):
    """Loads a checkpoint as ComfyUI does, and remembers the file for the training process."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_LoadBase",
            display_name="Load Base Model",
            category="Lorasmith/2 Plan",
            description=(
                "Loads the checkpoint that the LoRA is trained on. The built-in starter needs no download: "
                "it is tiny, so that a first training takes a minute on any computer."
            ),
            search_aliases=["checkpoint", "load checkpoint", "sd15", "base model", "starter"],
            inputs=[
                io.Combo.Input(
                    "checkpoint",
                    options=choices(),
                    default=STARTER,
                    tooltip=(
                        "The built-in starter, a full checkpoint, or a diffusion model alone (then CLIP and VAE come "
                        "from their own loaders)."
                    ),
                )
            ],
            outputs=[
                io.Model.Output("model", display_name="model", tooltip="The diffusion model, for sampling."),
                io.Clip.Output("clip", display_name="clip", tooltip="The text encoder."),
                io.Vae.Output("vae", display_name="vae", tooltip="Turns pictures into latents and back."),
                BASE.Output("base", display_name="base", tooltip="The same checkpoint, to plan and train with."),
            ],
        )

    @classmethod
    def validate_inputs(cls, checkpoint: str | None = None) -> bool | str:
        if checkpoint in (None, STARTER):
            return True
        try:
            base_file(checkpoint)
        except BadInputError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, checkpoint: str) -> io.NodeOutput:
        return io.NodeOutput(*load_base(checkpoint))
