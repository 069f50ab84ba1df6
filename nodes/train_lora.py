"""The training itself."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._bench_eyes import BUILT_IN, eyes_input, weights_of
from ._new_lora import name_problem
from ._train_job import Samples, train_lora
from ._types import BASE, DATASET, LORA_STACK, PLAN, REPORT, Base


class TrainLora(io.ComfyNode):
    """Encodes the photos with ComfyUI's own VAE and CLIP and trains in a process of its own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_TrainLora",
            display_name="Train LoRA from Photos",
            category="Lorasmith/3 Train",
            description=(
                "Trains a LoRA and saves it into ComfyUI's LoRA folder (output/loras). It runs in its own "
                "process; stop it from its panel and the graph goes on with the best LoRA, or cancel and keep that."
            ),
            search_aliases=["train", "lora training", "dreambooth", "finetune", "fine-tune"],
            inputs=[
                DATASET.Input("dataset", tooltip="The audited, cropped and captioned photos."),
                PLAN.Input("plan", tooltip="From Plan Training."),
                io.Clip.Input("clip", tooltip="Encodes the captions; from the same Load Base Model."),
                io.Vae.Input("vae", tooltip="Encodes the photos; from the same Load Base Model."),
                BASE.Input("base", tooltip="The model to train on, from Load Base Model."),
                io.String.Input(
                    "name",
                    default="my_lora",
                    tooltip="Name of the file; 'people/anna' makes a sub-folder. Nothing is overwritten.",
                ),
                io.String.Input(
                    "sample_prompts",
                    default="",
                    multiline=True,
                    optional=True,
                    advanced=True,
                    tooltip="Prompts of your own for samples while it trains, one a line. They are shown, not scored.",
                ),
                eyes_input(),
            ],
            outputs=[
                io.String.Output("lora_name", display_name="lora_name", tooltip="The LoRA's name in the lists."),
                LORA_STACK.Output(
                    "lora_stack",
                    display_name="lora_stack",
                    tooltip="The new LoRA at strength 1, for Apply LoRA Stack.",
                ),
                io.LossMap.Output("loss", display_name="loss", tooltip="The loss curve, for Plot Loss Graph."),
                REPORT.Output("report", display_name="report", tooltip="What the training did."),
                io.LoraModel.Output(
                    "lora_model", display_name="lora_model", tooltip="Its weights, for Load LoRA Model or Save LoRA."
                ),
                io.Image.Output(
                    "samples",
                    display_name="samples",
                    tooltip="Pictures of the saved step, one a prompt. Without samples, nodes behind it do not run.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, name: str | None = None) -> bool | str:
        return name_problem(name)

    @classmethod
    def execute(
        cls, dataset: Any, plan: Any, clip: Any, vae: Any, base: Base, name: str, sample_prompts: str = "",
        clip_model: str = BUILT_IN,
    ) -> io.NodeOutput:  # fmt: skip
        workflow = ((cls.hidden.extra_pnginfo or {}).get("workflow") or {}).get("id") or ""
        samples = Samples(tuple(filter(None, map(str.strip, sample_prompts.splitlines()))), weights_of(clip_model))
        done = train_lora(dataset, base, plan, clip, vae, name, str(workflow), samples)
        stack = [(done.name, 1.0, 1.0)]
        return io.NodeOutput(
            done.name, stack, {"loss": done.losses}, done.report, done.weights, done.images, ui=done.ui
        )
