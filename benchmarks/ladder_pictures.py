"""The ladder's LoRAs and their pictures: made once and kept, so that rules can be judged again in seconds.

Each seed is another person, with other photos. Five trainings a seed give six rungs: too little and right are
two points of one run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch

from lora_train.audit import audit
from lora_train.crop import crop_dataset, render_crop
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.families.registry import detect
from lora_train.lora.file import save_lora
from lora_train.lora.naming import to_tensors
from lora_train.observer import NullObserver
from lora_train.starter import CLASS_WORD, DEMO_TRIGGER, SIDE_PX
from lora_train.starter.renderer import render
from lora_train.starter.traits import (
    BACKGROUND,
    CLOTHES,
    EXPRESSION,
    GARMENT,
    POSE,
    Identity,
    Scene,
    near,
    random_identity,
    random_scene,
)
from lora_train.training import loop
from lora_train.training.adapter import add_lora
from lora_train.training.encode import encode_dataset, read_encoded
from lora_train.training.plan import TrainPlan, make_plan
from lora_train.training.sample import generate
from lora_train.training.stopping import StopFlag

SUBJECT = f"photo of {DEMO_TRIGGER} {CLASS_WORD}"
PROMPTS = (SUBJECT, f"{SUBJECT}, neutral, on a beach", f"{SUBJECT}, wearing a blue hoodie, in a forest")
TIMES, FIRST_SEED, SAMPLING_STEPS = (6, 3, 3), 1000, 12
"""How often each prompt is drawn: most of all the one that leaves everything open."""
PLACES = ("studio", "street", "room", "mountains", "night city")
"""Where the photos of one background are taken: no place that a prompt asks for."""
PHOTO_PX = 256


PLANNED = 500
"""What the plan says for these 16 varied photos; :func:`plan_of` proves it."""


@dataclass(frozen=True)
class Training:
    """One run: its photos, how hard it trains, and which of its steps are rungs."""

    photos: str
    points: Mapping[int, str]
    """Step -> rung."""
    rate: float = 1.0
    """Times the planned learning rate."""
    batch: int = 4


TRAININGS = (
    Training("smiles", {160: "smiles only"}),
    Training("one background", {140: "one background"}),
    Training("duplicates", {80: "duplicates"}, batch=2),
    Training("varied", {12: "too little", PLANNED: "right"}),
    Training("similar", {150: "too much"}, rate=3.0),
)
RUNGS = tuple(rung for training in TRAININGS for rung in training.points.values())


def scene(index: int, rng: Random) -> Scene:
    """Every place, garment, colour and expression has its turn."""
    return replace(
        random_scene(rng),
        background=BACKGROUND[index % len(BACKGROUND)],
        clothes=list(CLOTHES)[(index * 5 + index // 9) % len(CLOTHES)],
        garment=GARMENT[index % 4],
        expression=EXPRESSION[(index * 2 + index // 5) % len(EXPRESSION)],
        pose=POSE[(index // 2) % 4],
        glasses="none",
        lipstick=False,
        shot=("close-up portrait", "close-up portrait", "half body")[index % 3],
    )


def scenes(kind: str, rng: Random) -> list[Scene]:
    """The scenes of one set of photos."""
    varied = [scene(i, rng) for i in range({"similar": 10, "duplicates": 12}.get(kind, 16))]
    if kind == "duplicates":
        moment = replace(varied[rng.randrange(8)], shot="close-up portrait")
        return [near(moment, rng) for _ in varied]
    if kind == "similar":
        return [_same_afternoon(varied[i % 2], varied[i]) for i in range(len(varied))]
    if kind == "one background":
        place, seed, backdrop = rng.choice(PLACES), varied[0].seed, varied[0].backdrop
        return [replace(s, background=place, seed=seed, backdrop=backdrop) for s in varied]
    if kind == "smiles":
        return [replace(s, expression="laughing", shot="close-up portrait") for s in varied]
    return varied


def _same_afternoon(first: Scene, other: Scene) -> Scene:
    """Place and clothes of one photo, everything else of another."""
    place = {name: getattr(first, name) for name in ("background", "seed", "backdrop", "clothes", "garment")}
    return replace(other, **place)


def caption(kind: str, of: Scene) -> str:
    """What the photo's owner would note: not what all photos have in common, and nothing for the careless sets."""
    if kind not in ("varied", "one background"):
        return ""
    words = of.phrases()
    return ", ".join(w for w in words if kind == "varied" or w != words[1])


def person(seed: int) -> Identity:
    """Somebody with hair, and with a mouth that shows at 96 px."""
    rng = Random(f"ladder/{seed}")
    while (who := random_identity(rng)).hair_style == "bald" or who.skin in ("brown", "dark") or who.beard != "none":
        pass
    return who


def make_photos(kind: str, seed: int, folder: Path) -> Dataset:
    """Render, judge, crop and caption one set; every photo is kept, whatever the audit says."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(f"{kind}/{seed}")
    for i, one in enumerate(scenes(kind, rng)):
        render(person(seed), one, (PHOTO_PX, PHOTO_PX)).save(folder / f"{kind.replace(' ', '_')}_{i:02}.png")
        if words := caption(kind, one):
            (folder / f"{kind.replace(' ', '_')}_{i:02}.txt").write_text(words, "utf-8")
    judged = audit(folder, analyzer=None)
    kept = judged.override(keep=[e.name for e in judged.entries])
    return caption_dataset(crop_dataset(kept, SIDE_PX), DEMO_TRIGGER, CLASS_WORD)


def plan_of(training: Training, dataset: Dataset, family: str, seed: int) -> TrainPlan:
    planned = make_plan(dataset, family)
    if PLANNED in training.points and planned.steps != PLANNED:
        raise ValueError(f"the plan for '{training.photos}' is {planned.steps} steps, the rung has {PLANNED}")
    return planned.replace(
        steps=max(training.points),
        warmup_steps=5,
        batch_size=training.batch,
        schedule="constant",
        sample_every=0,
        seed=seed,
        learning_rate=planned.learning_rate * training.rate,
    )


def make(base: Path, out: Path, seeds: Sequence[int], only: Sequence[str] = ()) -> None:
    """Train and sample everything that is not there yet."""
    make_base_pictures(base, out)
    for seed in seeds:
        for training in TRAININGS:
            wanted = [r for r in training.points.values() if not only or r in only]
            if wanted and not all((out / rung_id(r, seed) / "done").is_file() for r in wanted):
                _train_and_sample(base, out, training, seed)


def rung_id(rung: str, seed: int) -> str:
    return f"{rung.replace(' ', '_')}_{seed}"


def asked() -> tuple[list[str], list[int]]:
    """Prompts and seeds of all pictures of a rung."""
    prompts = [p for p, n in zip(PROMPTS, TIMES, strict=True) for _ in range(n)]
    return prompts, [FIRST_SEED + i for i in range(len(prompts))]


def make_base_pictures(base: Path, out: Path) -> None:
    if not (out / "base" / "done").is_file():
        _sample(base, None, out / "base")


def _train_and_sample(base: Path, out: Path, training: Training, seed: int) -> None:
    work = out / rung_id(training.photos, seed)
    dataset = make_photos(training.photos, seed, work / "photos")
    loras = train(base, dataset, training, seed, work)
    for step, rung in training.points.items():
        folder = out / rung_id(rung, seed)
        folder.mkdir(parents=True, exist_ok=True)
        dataset.save(folder / "dataset.json")
        facts = json.loads((work / "run.json").read_text("utf-8"))
        plan = {**facts["plan"], "steps": step, "warmup_steps": min(5, step)}
        probes = {int(k): v for k, v in facts["probes"].items()}
        (folder / "run.json").write_text(json.dumps({
            "kind": "lorasmith.run", "version": 1, "plan": plan, "steps": step, "loss_first": probes[0],
            "loss_last": probes[step], "losses": facts["losses"][:step], "trigger": DEMO_TRIGGER,
            "stopped_by": "planned_end", "dataset": {"pictures": len(dataset.kept)},
        }), "utf-8")  # fmt: skip
        _sample(base, loras[step], folder)


def train(base: Path, dataset: Dataset, training: Training, seed: int, work: Path) -> dict[int, Path]:
    """One run; the LoRA of each wanted step."""
    family = detect(base)
    plan = plan_of(training, dataset, family.preset, seed)
    parts = family.load(base, "cpu", torch.float32)
    encoded = read_encoded(encode_dataset(parts, dataset, work / "encoded.state", NullObserver()))
    adapter = add_lora(parts.unet, family.target_modules, plan.rank, plan.alpha, plan.seed)
    run = loop.setup(parts.unet, adapter, encoded, plan, "cpu", torch.float32, parts.traits)
    files: dict[int, Path] = {}
    probes = {0: loop.probe(run)}

    def keep(run: loop.Run) -> None:
        if run.step in training.points:
            probes[run.step] = loop.probe(run)
            files[run.step] = work / f"step_{run.step}.safetensors"
            save_lora(files[run.step], to_tensors(adapter.factors(adapter.snapshot()), parts.traits), {})

    loop.fit(run, loop.Hooks(StopFlag(), NullObserver(), keep, lambda _: None))
    facts = {"plan": plan.to_json(), "probes": probes, "losses": run.losses, "seconds": run.seconds}
    (work / "run.json").write_text(json.dumps(facts), "utf-8")
    return files


def _sample(base: Path, lora: Path | None, folder: Path) -> None:
    prompts, seeds = asked()
    folder.mkdir(parents=True, exist_ok=True)
    pictures = generate(base, prompts, seeds=seeds, lora=lora, steps=SAMPLING_STEPS)
    for picture, seed in zip(pictures, seeds, strict=True):
        picture.save(folder / f"{seed}.png")
    (folder / "done").touch()


def reference_of(dataset: Dataset) -> list:
    return [render_crop(entry) for entry in dataset.kept]
