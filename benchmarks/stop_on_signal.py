"""Does the automatic plan with its stop rule find the point that a patient person would?

    python benchmarks/stop_on_signal.py [--work DIR] [--longest 600] [--points 10]

On the starter base with its demo photos: the automatic run (planned steps, stopped and chosen by its own
samples) against the ten snapshots of one long run with the same settings. All are judged afterwards on prompts
and seeds that no training saw, at the same 12 sampler steps. Then the plan with the duplicates left in.
One core, about a quarter of an hour; finished pieces in --work are not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lora_train.dataset.manifest import Dataset
from lora_train.evaluation.diversity import judge_diversity
from lora_train.evaluation.embed import starter_embedder
from lora_train.families.registry import detect
from lora_train.lora.metadata import LoraFacts
from lora_train.observer import ConsoleObserver, NullObserver
from lora_train.quickstart import FIRST_SEED, SCENES, SEEDS_PER_SCENE, _crops, _moments, prepare
from lora_train.starter import CLASS_WORD, DEMO_TRIGGER, render_demo, starter_checkpoint
from lora_train.training import loop, metrics_file
from lora_train.training.adapter import add_lora
from lora_train.training.best import Point
from lora_train.training.checkpoint import RunFolder, save_point
from lora_train.training.encode import read_encoded
from lora_train.training.memory import pick_dtype
from lora_train.training.plan import TrainPlan, make_plan
from lora_train.training.run import TrainRequest, train
from lora_train.training.sample import generate
from lora_train.training.stopping import StopFlag

STEPS = 12
PROMPTS = [f"photo of {DEMO_TRIGGER} {CLASS_WORD}{scene}" for scene in SCENES for _ in range(SEEDS_PER_SCENE)]
SEEDS = [FIRST_SEED + i for i in range(len(PROMPTS))]
TOLERANCE = 0.05


@dataclass(frozen=True)
class Judged:
    """One LoRA on fresh prompts and seeds."""

    name: str
    steps: int
    likeness: float
    """Mean share of the person's traits that the pictures show."""
    people: str
    variety: float
    copies: int
    verdict: str


class Judge:
    """Makes and judges pictures; the base's are made once."""

    def __init__(self, base: Path, dataset: Dataset) -> None:
        self._base, self._photos, self._embedder = base, _crops(dataset), starter_embedder()
        self._without = generate(base, PROMPTS, seeds=SEEDS, steps=STEPS)

    def __call__(self, name: str, steps: int, lora: Path) -> Judged:
        report = judge_diversity(
            generate(self._base, PROMPTS, seeds=SEEDS, steps=STEPS, lora=lora),
            base_images=self._without,
            reference=self._photos,
            prompt=PROMPTS,
            embedder=self._embedder,
            trigger=DEMO_TRIGGER,
        )
        person, axes = report.identity, {axis.name: axis for axis in report.axes}
        assert person is not None and person.trait_shares, "the demo photos agree on traits"
        likeness = sum(person.trait_shares.values()) / len(person.trait_shares)
        people, variety = f"{person.hits}/{person.n}", axes["variety"].value or 0.0
        return Judged(name, steps, likeness, people, variety, len(report.copies), report.verdict)


def automatic(base: Path, dataset: Dataset, plan: TrainPlan, out: Path) -> dict[str, Any]:
    """The run as a user starts it: in a process of its own, watched by its samples."""
    folder = RunFolder(out)
    if not folder.run_json.is_file():
        request = TrainRequest(base=base, dataset=dataset, plan=plan, out=out, trigger=dataset.trigger)
        train(request, ConsoleObserver())
    result = json.loads(folder.run_json.read_text("utf-8"))
    rows = list(metrics_file.read(folder.metrics))
    trained = max(row["step"] for row in rows if "loss" in row)
    return {**result, "trained": trained, "readings": [row for row in rows if row["event"] == "signal"]}


def sweep(base: Path, encoded: Path, plan: TrainPlan, folder: Path, points: int) -> list[tuple[int, Path]]:
    """One run over all steps of ``plan``; its LoRA at ``points`` even steps."""
    every = plan.steps // points
    files = [(step, folder / f"step_{step:04d}.safetensors") for step in range(every, points * every + 1, every)]
    if all(path.is_file() for _, path in files):
        return files
    family, dtype = detect(base), pick_dtype("cpu")
    part = family.load(base, "cpu", dtype, ("unet",))
    adapter = add_lora(part.unet, family.target_modules, plan.rank, plan.alpha, plan.seed)
    run = loop.setup(part.unet, adapter, read_encoded(encoded), plan, "cpu", dtype, part.traits)
    paths = dict(files)

    def keep(now: loop.Run) -> None:
        if now.step in paths:
            save_point(now, Point(now.step, 0.0, now.adapter.snapshot()), paths[now.step], _facts(plan, now.step))

    loop.fit(run, loop.Hooks(StopFlag(), ConsoleObserver(), lambda _: None, keep))
    return files


def _facts(plan: TrainPlan, step: int) -> LoraFacts:
    now = time.time()
    return LoraFacts(
        f"step {step}", "starter", DEMO_TRIGGER, CLASS_WORD, plan.rank, plan.alpha, plan.learning_rate, step,
        plan.steps, plan.batch_size, plan.resolution_px, 0, plan.seed, now, now,
    )  # fmt: skip


def with_duplicates(folder: Path, side_px: int) -> tuple[int, TrainPlan]:
    """Photos and plan when the duplicates are kept against the audit's advice."""
    from lora_train.audit import audit
    from lora_train.crop import crop_dataset
    from lora_train.dataset.captions import caption_dataset

    judged = audit(folder, analyzer=None)
    kept = judged.override(keep=[e.name for e in judged.entries if set(e.codes()) == {"duplicate"}])
    dataset = caption_dataset(crop_dataset(kept, side_px), DEMO_TRIGGER, CLASS_WORD)
    return len(dataset.kept), make_plan(dataset, "starter", **_moments(dataset, starter_embedder()))


def show(rows: list[Judged], auto: dict[str, Any]) -> None:
    print(f"\n{'what':<22}{'steps':>7}{'likeness':>10}{'person':>9}{'variety':>9}{'copies':>8}  verdict")
    for row in rows:
        print(
            f"{row.name:<22}{row.steps:>7}{row.likeness:>10.3f}{row.people:>9}{row.variety:>9.0%}{row.copies:>8}"
            f"  {row.verdict}"
        )
    print(f"\n{auto['message']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("stop_on_signal"))
    parser.add_argument("--longest", type=int, default=600)
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    work = args.work.resolve()
    base, photos = starter_checkpoint(), work / "photos"
    if not photos.is_dir():
        render_demo(photos)
    dataset, plan = prepare(photos, base, NullObserver(), embedder=starter_embedder())
    auto = automatic(base, dataset, plan, work / "auto.safetensors")
    longest = plan.replace(steps=args.longest, sample_every=args.longest // args.points)
    snapshots = sweep(base, RunFolder(work / "auto.safetensors").encoded, longest, work / "sweep", args.points)
    judge = Judge(base, dataset)
    rows = [judge(f"sweep, {step}", step, path) for step, path in snapshots]
    found = judge("automatic", auto["trained"], work / "auto.safetensors")
    show([*rows, found], auto)
    top = max(row.likeness for row in rows)
    count, doubled = with_duplicates(photos, plan.resolution_px)
    answers = {
        "likeness within 5 % of the best of the sweep": found.likeness >= (1 - TOLERANCE) * top,
        "fewer steps than the longest": auto["trained"] < args.longest,
        "verdict good": found.verdict == "good",
        "duplicates shorten the plan": doubled.steps < plan.steps,
    }
    print(f"likeness {found.likeness:.3f} against {top:.3f}: {found.likeness / top:.1%}")
    print(f"plan: {plan.why}\nwith the duplicates left in ({count} photos): {doubled.why}")
    for question, answer in answers.items():
        print(f"{question:<48}{'yes' if answer else 'NO'}")
    if args.json:
        told = {"rows": [asdict(row) for row in (*rows, found)], "answers": answers, "readings": auto["readings"]}
        args.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
