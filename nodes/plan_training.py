"""How many steps, at which rank and speed, and why."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ._text import plan_report
from ._types import BASE, DATASET, PLAN, Base
from ._ui import show


class PlanTraining(io.ComfyNode):
    """Chooses every number of the training from the photos; any of them can be overridden."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_PlanTraining",
            display_name="Plan Training",
            category="Lorasmith/2 Plan",
            description=(
                "Works out steps, rank and learning rate from how many different photos there are, and says "
                "why. Leave a number at 0 to have it chosen."
            ),
            search_aliases=["steps", "epochs", "learning rate", "lora rank", "training settings"],
            inputs=[
                DATASET.Input("dataset", tooltip="The audited, cropped and captioned photos."),
                BASE.Input("base", tooltip="The model that will be trained on, from Load Base Model."),
                io.Combo.Input(
                    "purpose",
                    options=["character", "style", "object"],
                    default="character",
                    tooltip="What the LoRA should learn: one person or figure, a look, or one thing.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=100_000,
                    optional=True,
                    tooltip="Training steps. 0 chooses; more than chosen makes the results alike (overfit).",
                ),
                io.Int.Input(
                    "rank",
                    default=0,
                    min=0,
                    max=256,
                    optional=True,
                    advanced=True,
                    tooltip="Size of the LoRA. 0 chooses; 8 to 32 is enough for one person.",
                ),
                io.Float.Input(
                    "learning_rate",
                    default=0.0,
                    min=0.0,
                    max=0.1,
                    step=0.00001,
                    round=False,
                    optional=True,
                    advanced=True,
                    tooltip="How far each step moves. 0 chooses; 1e-4 is usual for Stable Diffusion 1.5.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    optional=True,
                    advanced=True,
                    control_after_generate=False,
                    tooltip="Same seed, same photos, same settings: the same LoRA.",
                ),
            ],
            outputs=[
                PLAN.Output("plan", display_name="plan", tooltip="Every number of the training; for Train LoRA."),
                io.String.Output("text", display_name="text", tooltip="The plan and its reasons in words."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        dataset: Any,
        base: Base,
        purpose: str,
        steps: int = 0,
        rank: int = 0,
        learning_rate: float = 0.0,
        seed: int = 0,
    ) -> io.NodeOutput:
        from ..lora_train.training.plan import make_plan

        chosen = {"steps": steps, "rank": rank, "learning_rate": learning_rate}
        overrides = {name: value for name, value in chosen.items() if value} | {"seed": seed}
        plan = make_plan(dataset, base.family, purpose=purpose, **overrides)
        report = plan_report(plan, make_plan(dataset, base.family, purpose=purpose))
        return io.NodeOutput(plan, str(report), ui=show(report))
