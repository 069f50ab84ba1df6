"""``train FOLDER --base CKPT --trigger TOKEN --out FILE``: a LoRA."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..observer import Observer
from ..say import say

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset
    from ..training.plan import TrainPlan

HELP = "train a LoRA on the photos worth keeping"
STARTER = "starter"


def _switch(said: str) -> bool:
    """argparse's type of on and off."""
    if said not in ("on", "off"):
        raise argparse.ArgumentTypeError(f"'{said}' is neither on nor off")
    return said == "on"


_OPTIONS: tuple[tuple[str, Callable[[str], Any], str], ...] = (
    ("steps", int, "optimizer steps (default: planned from the photos)"),
    ("rank", int, "rank of the LoRA"),
    ("alpha", float, "alpha of the LoRA"),
    ("learning_rate", float, "learning rate"),
    ("batch_size", int, "pictures per step"),
    ("seed", int, "seed of everything random"),
    ("sample_every", int, "steps between sample pictures, 0 for none"),
    ("precision", str, "auto, fp32 or bf16"),
    ("compile", _switch, "on compiles the repeated blocks (long runs on an accelerator), or off"),
    ("quantize", str, "int8 keeps the frozen base in 8 bits (needs torchao), or none"),
    ("adapter", str, "lora, locon (convolutions too), dora or rslora"),
    ("optimizer", str, "adamw, adamw8bit, prodigy or schedulefree"),
    ("ema_decay", float, "keep the running mean of the weights with this decay a step, such as 0.99"),
    ("background_weight", float, "weight of the loss outside the subject, 0 to 1; 1 needs no mask"),
    ("prior_weight", float, "weight of the loss on regular pictures of the class"),
    ("prior_folder", str, "folder of regular pictures (default: the base makes them)"),
    ("text_encoder_rate", float, "learning rate of the text encoder (SD 1.5, SDXL); 0 leaves it alone"),
    ("keep_last", int, "how many saves by step to keep beside the best"),
)


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("train", help=HELP, description=HELP)
    parser.add_argument("folder", type=Path, help="folder of photos (only read), or a saved dataset manifest")
    parser.add_argument("--base", required=True, help=f"checkpoint (.safetensors), or '{STARTER}' for the embedded one")
    parser.add_argument("--trigger", default="", help="the rare word that will call up what was learned")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the LoRA to write (.safetensors)")
    parser.add_argument("--class-word", default="person", help="what it is: person, woman, dog, painting ...")
    parser.add_argument("--purpose", default="character", help="character, style or object")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a saved plan, or JSON with some of its settings")
    parser.add_argument("--resolution", type=int, metavar="PX", help="training resolution")
    parser.add_argument("--limits", type=Path, metavar="FILE", help="JSON with audit limits")
    parser.add_argument("--prompt", action="append", default=[], help="prompt of a sample while training (repeatable)")
    parser.add_argument("--embedder", type=Path, metavar="FILE", help="a CLIP model that scores the samples")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run of the same name")
    parser.add_argument("--extend", type=int, default=0, metavar="STEPS", help="train a saved run this much longer")
    for name, kind, text in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=text)
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..crop import crop_dataset
    from ..dataset.captions import caption_dataset, trigger_problems
    from ..families import registry
    from ..training.run import TrainRequest, train

    BadInputError.collect([*trigger_problems(args.trigger), *_name_problems(args.out)])
    base = _base(args.base)
    family = registry.detect(base)
    dataset = _dataset(args, family.resolution_px, observer)
    dataset = caption_dataset(dataset, args.trigger, args.class_word)
    plan = _plan(args, dataset, family.preset)
    dataset = crop_dataset(dataset, plan.resolution_px, observer)
    request = TrainRequest(
        base=base,
        dataset=dataset,
        plan=plan,
        out=args.out.resolve(),
        trigger=args.trigger.strip(),
        sample_prompts=tuple(args.prompt),
        embedder=args.embedder.expanduser().resolve() if args.embedder else None,
        resume=args.resume or args.extend > 0,
        extend=args.extend,
    )
    result = train(request, observer)
    return {**result.to_json(), "summary": dataset.summary(), "why": plan.why}


def show(result: dict[str, Any]) -> str:
    said = say(
        "cli.trained",
        message=result["message"],
        first=result["loss_first"],
        last=result["loss_last"],
        seconds=result["seconds"],
        rate=result["steps_per_second"],
    )
    return "\n".join([result["summary"], result["why"], said, f"LoRA: {result['lora']}"])


def _name_problems(out: Path) -> list[str]:
    if out.suffix == ".safetensors":
        return []
    return [say("cli.out_suffix", out=out)]


def _base(name: str) -> Path:
    if name != STARTER:
        return Path(name).expanduser().resolve()
    from ..starter import starter_checkpoint

    return starter_checkpoint()


def _dataset(args: argparse.Namespace, resolution_px: int, observer: Observer) -> Dataset:
    """The audited photos of a folder, or a manifest that was saved with all its decisions."""
    from ..audit import audit
    from ..dataset.manifest import Dataset
    from .audit import limits_of

    if args.folder.suffix == ".json" and args.folder.is_file():
        return Dataset.load(args.folder)
    return audit(args.folder, limits_of(args, resolution_px), observer)


def _plan(args: argparse.Namespace, dataset: Dataset, family: str) -> TrainPlan:
    """The plan: what the photos suggest, then the config file, then the options."""
    from ..config import read_json
    from ..training.plan import FORMAT, TrainPlan, make_plan

    options = {name: value for name, _, _ in _OPTIONS if (value := getattr(args, name)) is not None}
    if args.resolution:
        options["resolution_px"] = args.resolution
    saved = read_json(args.config) if args.config else {}
    if isinstance(saved, dict) and saved.get("kind") == FORMAT.kind:
        return TrainPlan.from_json(saved, args.config.name).replace(**options)
    settings = FORMAT.fields(saved, args.config.name) if args.config else {}
    return make_plan(dataset, family, purpose=args.purpose, **{**settings, **options})
