"""Advanced settings of a training, each "as planned" until it is changed."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._training_settings import changed_plan, choice, number, whole
from ._types import PLAN
from ._ui import show


class TrainingSettings(io.ComfyNode):
    """Overrides single numbers of a plan and says what that does to the size of a step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_TrainingSettings",
            display_name="Training Settings",
            category="Lorasmith/2 Plan",
            description=(
                "Changes single settings of a plan: kind of LoRA, optimizer, rates, text encoder, mask, regular "
                "pictures. Everything stays as planned until you change it; goes between Plan Training and Train LoRA."
            ),
            search_aliases=["optimizer", "dora", "locon", "prodigy", "ema", "learning rate", "advanced training"],
            inputs=[
                PLAN.Input("plan", tooltip="From Plan Training."),
                choice(
                    "adapter",
                    "lora; locon trains convolutions too; dora learns lengths apart; rslora suits ranks over 32.",
                ),
                choice(
                    "optimizer",
                    "adamw needs nothing; the others need their package: bitsandbytes, prodigyopt, schedulefree.",
                ),
                choice("schedule", "cosine slows down towards the end; constant keeps the rate."),
                choice("precision", "auto takes bf16 where the device is fast with it."),
                whole("rank", 0, 256, "Size of the LoRA. 0 is as planned."),
                number(
                    "alpha",
                    0.0,
                    256.0,
                    0.5,
                    "Strength of each step: the change counts alpha / rank times. 0 is as planned.",
                ),
                number("learning_rate", 0.0, 1.0, 0.00001, "How far each step moves. 0 is as planned; 1 for prodigy."),
                whole("batch_size", 0, 64, "Pictures a step. 0 is as planned; steps stay as they are."),
                number(
                    "text_encoder_rate",
                    -1.0,
                    1.0,
                    0.000001,
                    "Learning rate of the text encoder (SD 1.5, SDXL). -1 is as planned, 0 leaves it alone.",
                ),
                number(
                    "ema_decay",
                    -1.0,
                    0.9999,
                    0.001,
                    "Keeps the running mean of the weights; 0.99 to 0.999 is usual. -1 is as planned, 0 is off.",
                ),
                number(
                    "background_weight",
                    -1.0,
                    1.0,
                    0.05,
                    "How much places outside the subject count; 0.1 is usual. -1 is as planned, 1 is off.",
                ),
                number(
                    "prior_weight",
                    -1.0,
                    10.0,
                    0.05,
                    "How much regular pictures of the class count; 1 is usual. -1 is as planned, 0 is off.",
                ),
                io.String.Input(
                    "prior_folder",
                    default="",
                    optional=True,
                    tooltip="Folder of regular pictures of the class. Empty has the base make them first.",
                ),
                number(
                    "min_snr_gamma",
                    -1.0,
                    100.0,
                    0.5,
                    "Evens the loss out over noise levels; 5 is usual. -1 is as planned, 0 is off.",
                ),
                number(
                    "noise_offset",
                    -1.0,
                    1.0,
                    0.01,
                    "Learns darker and brighter pictures; 0.03 to 0.1. -1 is as planned, 0 is off.",
                ),
                number("caption_dropout", -1.0, 1.0, 0.01, "Share of steps without caption. -1 is as planned."),
                number(
                    "tag_dropout",
                    -1.0,
                    1.0,
                    0.01,
                    "Share of steps with the caption's beginning only. -1 is as planned.",
                ),
                number("weight_decay", -1.0, 1.0, 0.001, "Pulls the weights towards 0. -1 is as planned."),
                whole("warmup_steps", -1, 100_000, "Steps until the full learning rate. -1 is as planned."),
                whole("sample_every", -1, 100_000, "Steps between samples. -1 is as planned, 0 makes none."),
                whole(
                    "keep_last", -1, 100, "Saves by step to keep beside the best one. -1 is as planned, 0 keeps none."
                ),
                choice(
                    "compile",
                    "on compiles the model's blocks: minutes before the first step, then shorter ones; for long runs.",
                ),
                choice("quantize", "int8 keeps the frozen base in 8 bits, half the memory; needs the package torchao."),
            ],
            outputs=[
                PLAN.Output("plan", display_name="plan", tooltip="The plan with these settings; for Train LoRA."),
                io.String.Output("text", display_name="text", tooltip="What was changed, and the size of a step."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, plan: Any, **settings: Any) -> io.NodeOutput:
        changed, report = changed_plan(plan, settings)
        return io.NodeOutput(changed, str(report), ui=show(report))
