"""Pictures with and without a LoRA at the same prompts and seeds, judged."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from . import _bench_saved as saved
from . import _bench_test as bench
from . import _host as host
from ._bench_eyes import BUILT_IN, eyes_input
from ._bench_inputs import model_inputs, negative_input, sampling_inputs
from ._bench_ui import test_payload
from ._types import REPORT, TEST, StackRow
from ._ui import show

SOCKETS = ("model", "clip", "vae", "lora_stack", "suite")


class TestLora(io.ComfyNode):
    """Samples with ComfyUI's own sampler, judges, and keeps a report that can be opened again."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Lorasmith_TestLora",
            display_name="Test LoRA",
            category="Lorasmith/5 Test",
            description=(
                "Makes pictures with and without a LoRA from the same prompts and seeds and judges them: still the "
                "same subject, varied, doing what the prompt says? The report is kept and can be opened again."
            ),
            search_aliases=["evaluate lora", "xy plot", "compare lora", "validation", "lora report"],
            inputs=[
                *sampling_inputs(),
                io.String.Input(
                    "name",
                    default="my_test",
                    tooltip="Folder of the report in output/lorasmith_tests. Nothing is overwritten.",
                ),
                *model_inputs("The LoRAs to test, from Train LoRA or LoRA Stack.", lazy=True),
                io.Combo.Input(
                    "lora_name",
                    options=[bench.NO_LORA, *host.lora_names()],
                    default=bench.NO_LORA,
                    optional=True,
                    tooltip="A LoRA file to test at strength 1, on top of the stack.",
                ),
                negative_input(),
                io.Combo.Input(
                    "report",
                    options=[saved.NEW, *saved.saved_tests()],
                    default=saved.NEW,
                    optional=True,
                    tooltip="A saved test to show again; nothing is loaded and nothing is sampled then.",
                ),
                eyes_input(),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-4.0,
                    max=4.0,
                    step=0.05,
                    optional=True,
                    tooltip="Multiplies every strength in the stack, as in Apply LoRA Stack.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "images", display_name="images", is_output_list=True, tooltip="Pictures with the LoRA, a list."
                ),
                io.Image.Output(
                    "base_images",
                    display_name="base_images",
                    is_output_list=True,
                    tooltip="The same prompts and seeds without the LoRA, in the same order.",
                ),
                io.String.Output("verdict", display_name="verdict", tooltip="The verdict in a word or two."),
                REPORT.Output("report", display_name="report", tooltip="Verdict, numbers and advice."),
                TEST.Output("test", display_name="test", tooltip="The whole test, for Diagnose."),
            ],
            is_output_node=True,
        )

    @classmethod
    def validate_inputs(cls, report: str | None = None) -> bool | str:
        return saved.saved_problem(report)

    @classmethod
    def fingerprint_inputs(cls, report: str | None = None, **others: Any) -> str:
        return saved.saved_mark(report or saved.NEW)

    @classmethod
    def check_lazy_status(cls, report: str = saved.NEW, **others: Any) -> list[str]:
        wanted = [*SOCKETS, "dataset"] if report == saved.NEW else ["dataset"]
        return [name for name in wanted if name in others and others[name] is None]

    @classmethod
    def execute(
        cls, first_seed: int, per_prompt: int, shapes: str, side_px: int, steps: int, cfg: float, sampler_name: str,
        scheduler: str, name: str, model: Any = None, clip: Any = None, vae: Any = None,
        lora_stack: list[StackRow] | None = None, suite: Any = None, dataset: Any = None,
        lora_name: str = bench.NO_LORA, negative: str = "", report: str = saved.NEW,
        clip_model: str = BUILT_IN, strength: float = 1.0,
    ) -> io.NodeOutput:  # fmt: skip
        if report == saved.NEW:
            how = host.Sampling(steps, cfg, sampler_name, scheduler)
            asked = bench.Asked(suite, first_seed, per_prompt, shapes, side_px, how, negative, clip_model)
            stack = bench.stack_of(lora_stack, lora_name, strength)
            tested = bench.run_test(model, clip, vae, stack, asked, dataset, name)
        else:
            tested = saved.open_test(report)
        words = saved.report_of(tested)
        images, base = ([host.image_batch([one]) for one in many] for many in (tested.made, tested.base))
        ui = show(words) | test_payload(tested, dataset)
        return io.NodeOutput(images, base, tested.report.verdict, words, tested, ui=ui)
