"""One side of the training benchmark in a process of its own: some steps, and what they took.

    <Python> benchmarks/train_sides.py '{"side": "ours", "checkpoint": ..., ...}'

Every side trains the denoiser of the same file or shape on the same random latents and texts. The last line of
the output is JSON: seconds of each step by the clock and of the processor, peak memory, trained numbers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]
PICTURES = 4
RATE = 1e-4


@dataclass(frozen=True)
class Task:
    """What every side is asked for."""

    side: str
    shape: str
    px: int
    checkpoint: str = ""
    precision: str = "bf16"
    device: str = "cpu"
    rank: int = 8
    batch: int = 1
    steps: int = 3
    targets: str = "family"
    """family: the layers that ours trains by default; every: all linear and convolution layers."""
    comfyui: str = ""


@dataclass
class Marks:
    """Times and memory of one side; the first step is a warm-up and is not counted."""

    device: str
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    numbers: int = 0
    flops: float = 0.0
    peak_bytes: int = 0
    _at: tuple[float, float] | None = None

    def mark(self) -> None:
        """Call it before the first step and after every one."""
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()
        now = time.perf_counter(), time.process_time()
        if self._at is not None:
            self.clock.append(now[0] - self._at[0])
            self.processor.append(now[1] - self._at[1])
        self._at = now

    def to_json(self) -> dict[str, Any]:
        from lora_train.training.usage import peak_memory_bytes

        found = asdict(self)
        del found["_at"]
        return {**found, "clock": self.clock[1:], "processor": self.processor[1:], "peak_bytes": peak_memory_bytes()}


def ours(task: Task, marks: Marks) -> None:
    """Lorasmith's own step."""
    import torch
    from train_shapes import told

    from lora_train.training import loop
    from lora_train.training.adapter import add_lora
    from lora_train.training.encode import EncodedSet
    from lora_train.training.plan import TrainPlan

    model, family = _model(task)
    adapter = add_lora(model, _targets(task, model, family), task.rank, float(task.rank), 1)
    plan = TrainPlan(
        family=family.preset, steps=1000, why="", rank=task.rank, alpha=task.rank, learning_rate=RATE,
        resolution_px=task.px, batch_size=task.batch, warmup_steps=0, schedule="constant", min_snr_gamma=None,
        noise_offset=0.0, caption_dropout=0.0, weight_decay=0.01, seed=1, sample_every=0,
    )  # fmt: skip
    latents, texts = told(task, 2 * PICTURES + 1)
    data = EncodedSet(tuple(latents), texts)
    run = loop.setup(model, adapter, data, plan, task.device, _dtype(task), family.traits)
    marks.numbers = adapter.values.numel()

    def step() -> None:
        loop.train_step(run)
        run.step += 1

    marks.flops = _flops(step) if task.device != "cpu" else 0.0
    _repeat(step, task.steps, marks)
    assert torch.isfinite(adapter.values).all()


def peft(task: Task, marks: Marks) -> None:
    """A straight loop in the manner of diffusers' text-to-image LoRA example, with latents and texts encoded before."""
    import torch
    import torch.nn.functional as functional
    from accelerate import Accelerator
    from diffusers import DDPMScheduler
    from diffusers.optimization import get_scheduler
    from peft import LoraConfig
    from train_shapes import told

    mixed = "bf16" if task.precision == "bf16" else "no"
    accelerator = Accelerator(mixed_precision=mixed, cpu=task.device == "cpu")
    model, family = _model(task)
    config = LoraConfig(
        r=task.rank, lora_alpha=task.rank, init_lora_weights="gaussian", target_modules=_targets(task, model, family)
    )
    model.add_adapter(config)
    learned = [p for p in model.parameters() if p.requires_grad]
    for parameter in learned:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(learned, lr=RATE)
    latents, texts = told(task, PICTURES)
    rows = [(latents[i], texts.rows([i])) for i in range(PICTURES)]
    loader = torch.utils.data.DataLoader(rows, batch_size=task.batch, shuffle=True, collate_fn=_stacked)  # type: ignore[arg-type]
    schedule = get_scheduler("constant", optimizer)
    model, optimizer, loader, schedule = accelerator.prepare(model, optimizer, loader, schedule)
    noise_scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    marks.numbers = sum(p.numel() for p in learned)
    batches = _forever(loader)

    def step() -> None:
        x, words = next(batches)
        x, words = x.to(task.device), words.to(task.device, _dtype(task))
        with accelerator.accumulate(model):
            noise = torch.randn_like(x)
            noisy, times, target = _noised(family, noise_scheduler, x, noise)
            with accelerator.autocast():
                answer = family.traits.call(model, noisy.to(_dtype(task)), times, words, 1.0)
            loss = functional.mse_loss(answer.float(), target.float(), reduction="mean")
            accelerator.gather(loss.repeat(len(x))).mean().item()
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        loss.detach().item()

    _repeat(step, task.steps, marks)


def core(task: Task, marks: Marks, bypass: bool = False) -> None:
    """ComfyUI's own Train LoRA node, all inputs at their defaults but precision, rank, batch and bypass."""
    sys.path.insert(0, task.comfyui)
    sys.argv = [sys.argv[0], *(["--cpu"] if task.device == "cpu" else [])]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.sd
    import comfy.utils
    import comfy_extras.nodes_train as nodes
    import torch
    from train_shapes import told

    latents, texts = told(task, PICTURES)
    given = {
        i.id: [i.default] for i in nodes.TrainLoraNode.define_schema().inputs if getattr(i, "default", None) is not None
    }
    with torch.inference_mode():
        model = comfy.sd.load_checkpoint_guess_config(task.checkpoint, output_vae=False, output_clip=False)[0]
        extra = {} if texts.pooled is None else {"pooled_output": texts.pooled[:1]}
        given |= {
            "model": [model],
            "latents": [{"samples": torch.stack(list(latents)) / model.model.latent_format.scale_factor}],
            "positive": [[[texts.text[i : i + 1], dict(extra)] for i in range(PICTURES)]],
            "batch_size": [task.batch], "steps": [task.steps + 2], "rank": [task.rank], "seed": [1],
            "training_dtype": [task.precision], "lora_dtype": [task.precision], "bypass_mode": [bypass],
            "existing_lora": ["[None]"],
        }  # fmt: skip
        step = nodes.TrainSampler._train_step_standard_mode

        def timed(sampler: Any, *args: Any) -> None:
            marks.mark()  # a step ends where the next one begins: its optimizer is inside
            step(sampler, *args)

        nodes.TrainSampler._train_step_standard_mode = timed
        lora = nodes.TrainLoraNode.execute(**given).result[0]
    marks.numbers = sum(value.numel() for value in lora.values())


def _model(task: Task) -> tuple[Any, Any]:
    """The model and its family: from the checkpoint, or of random numbers where none was written."""
    from train_shapes import FAMILIES, random_model

    from lora_train.families import registry

    if not task.checkpoint:
        return random_model(task.shape, task.device, _dtype(task)), FAMILIES[task.shape]()
    family = registry.detect(Path(task.checkpoint))
    return family.load(Path(task.checkpoint), task.device, _dtype(task), ("unet",)).unet, family


def _targets(task: Task, model: Any, family: Any) -> Any:
    import torch

    if task.targets == "family":
        wanted = family.target_modules
        return wanted if isinstance(wanted, str) else list(wanted)
    kinds = (torch.nn.Linear, torch.nn.Conv2d)
    return [name for name, module in model.named_modules() if isinstance(module, kinds)]


def _noised(family: Any, scheduler: Any, x: Any, noise: Any) -> tuple[Any, Any, Any]:
    """Noisy latents, times and target, as the examples make them."""
    import torch

    from lora_train.families.denoising import Flow

    if isinstance(family.traits.objective, Flow):
        times = torch.rand(len(x), device=x.device)
        t = times.view(-1, 1, 1, 1)
        return (1 - t) * x + t * noise, times, noise - x
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(x),), device=x.device).long()
    return scheduler.add_noise(x, noise, times), times, noise


def _stacked(rows: list[Any]) -> tuple[Any, Any]:
    import torch

    from lora_train.families.conditions import Conditions

    return torch.stack([row[0] for row in rows]), Conditions.join([row[1] for row in rows])


def _forever(loader: Any) -> Any:
    while True:
        yield from loader


def _dtype(task: Task) -> Any:
    import torch

    return torch.bfloat16 if task.precision == "bf16" else torch.float32


def _flops(step: Callable[[], None]) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def _repeat(step: Callable[[], None], steps: int, marks: Marks) -> None:
    marks.mark()
    for _ in range(steps + 1):
        step()
        marks.mark()


SIDES: dict[str, Callable[[Task, Marks], None]] = {
    "ours": ours,
    "peft": peft,
    "core": core,
    "core bypass": lambda task, marks: core(task, marks, bypass=True),
}


def main() -> None:
    task = Task(**json.loads(sys.argv[1]))
    marks = Marks(task.device)
    SIDES[task.side](task, marks)
    print(json.dumps(marks.to_json()))


if __name__ == "__main__":
    main()
