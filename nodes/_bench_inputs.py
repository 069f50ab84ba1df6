"""Inputs that Test LoRA and Strength Grid share."""

from __future__ import annotations

from comfy_api.latest import io

from . import _host as host
from ._bench_test import SHAPES, SQUARE
from ._types import DATASET, LORA_STACK, SUITE


def sampling_inputs(side_px: int = 512) -> list[io.Input]:
    """Seeds, sizes and ComfyUI's own sampler settings."""
    return [
        io.Int.Input(
            "first_seed",
            default=1000,
            min=0,
            max=2**48,
            control_after_generate=False,
            tooltip="Seed of the first picture of each prompt; the next ones follow. The same with and without LoRA.",
        ),
        io.Int.Input(
            "per_prompt",
            default=3,
            min=1,
            max=5,
            tooltip="Pictures for each prompt, in each shape. 3 to 5 tell whether they are all alike.",
        ),
        io.Combo.Input(
            "shapes", options=SHAPES, default=SQUARE, tooltip="Square pictures, wide ones, or both; same area."
        ),
        io.Int.Input(
            "side_px",
            default=side_px,
            min=0,
            max=2048,
            step=32,
            tooltip="Side of a square picture: 512 for SD 1.5, 1024 for SDXL and newer. 0: that of the cropped photos.",
        ),
        io.Int.Input("steps", default=20, min=1, max=200, tooltip="Sampling steps, as in KSampler."),
        io.Float.Input(
            "cfg", default=7.0, min=0.0, max=30.0, step=0.1, tooltip="Guidance, as in KSampler: 4 to 8, 1 for FLUX."
        ),
        io.Combo.Input("sampler_name", options=host.sampler_names(), default="euler", tooltip="As in KSampler."),
        io.Combo.Input("scheduler", options=host.scheduler_names(), default="normal", tooltip="As in KSampler."),
    ]


def model_inputs(lora_tip: str, *, lazy: bool) -> list[io.Input]:
    """What the pictures are made with. Optional: a saved report needs none of it."""
    return [
        DATASET.Input(
            "dataset",
            optional=True,
            lazy=lazy,
            tooltip="The training photos: tells whether it is the subject, and finds copies of photos.",
        ),
        SUITE.Input("suite", optional=True, lazy=lazy, tooltip="The prompts, from Prompt Suite."),
        LORA_STACK.Input("lora_stack", optional=True, lazy=lazy, tooltip=lora_tip),
        io.Model.Input("model", optional=True, lazy=lazy, tooltip="The base model, without the LoRA to be tested."),
        io.Clip.Input("clip", optional=True, lazy=lazy, tooltip="The text encoder that belongs to the model."),
        io.Vae.Input("vae", optional=True, lazy=lazy, tooltip="The VAE that belongs to the model."),
    ]


def negative_input() -> io.String.Input:
    """What should not be seen."""
    return io.String.Input(
        "negative", default="", optional=True, advanced=True, tooltip="Negative prompt of all pictures."
    )
