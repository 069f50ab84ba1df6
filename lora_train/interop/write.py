"""A plan written as the files that another trainer starts from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ..files import whole
from ..training.plan import TrainPlan
from .ai_toolkit import to_ai_toolkit
from .kohya import to_kohya
from .notes import Note
from .toml import to_toml

Trainer = Literal["kohya", "ai-toolkit"]
TRAINERS: tuple[Trainer, ...] = get_args(Trainer)


@dataclass(frozen=True)
class Written:
    """The files, how to start the trainer with them, and what it cannot do."""

    files: tuple[Path, ...]
    command: str
    notes: tuple[Note, ...]


def write_settings(
    plan: TrainPlan,
    trainer: Trainer,
    folder: Path,
    images: Path,
    base: Path,
    out: Path,
    trigger: str = "",
    repeats: int = 1,
) -> Written:
    """Write the settings of ``plan`` into ``folder``.

    Args:
        images: folder with pictures and ``.txt`` captions, as the dataset export writes it.
        base: the checkpoint to train on.
        out: the LoRA that the other trainer is to write.
        trigger: the word that calls up what is learned.
        repeats: how often kohya shows each picture a round.

    Raises:
        BadInputError: the trainer does not train the family, or the disk is full.
    """
    if trainer == "kohya":
        return _kohya(plan, folder, images, base, out, trigger, repeats)
    job, notes = to_ai_toolkit(plan, images, base, out, trigger)
    path = _write(folder / f"{out.stem}.yaml", to_yaml(job))
    return Written((path,), f"python run.py {path}", notes)


def _kohya(plan: TrainPlan, folder: Path, images: Path, base: Path, out: Path, trigger: str, repeats: int) -> Written:
    made = to_kohya(plan, images, base, out, trigger, repeats)
    dataset = folder / f"{out.stem}.dataset.toml"
    training = folder / f"{out.stem}.toml"
    start = f"accelerate launch {made.script} --config_file {training}"
    _write(dataset, to_toml(made.dataset, f"Pictures for {training.name}"))
    settings = {"dataset_config": str(dataset), **made.training}
    _write(training, to_toml(settings, f"Written by Lorasmith for sd-scripts. {plan.why}\nStart: {start}"))
    return Written((training, dataset), start, made.notes)


def _write(path: Path, text: str) -> Path:
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def to_yaml(data: Mapping[str, Any], depth: int = 0) -> str:
    """Block YAML of mappings, lists and scalars; scalars are written as JSON, which YAML reads."""
    return "".join(_yaml_entry(name, value, depth) for name, value in data.items())


def _yaml_entry(name: str, value: Any, depth: int) -> str:
    pad = "  " * depth
    if isinstance(value, Mapping) and value:
        return f"{pad}{name}:\n{to_yaml(value, depth + 1)}"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return f"{pad}{name}:\n" + "".join(_yaml_item(part, depth + 1) for part in value)
    return f"{pad}{name}: {_scalar(value)}\n"


def _yaml_item(part: Mapping[str, Any], depth: int) -> str:
    pad = "  " * depth
    body = to_yaml(part, depth + 1)
    return f"{pad}- " + body[len(pad) + 2 :]


def _scalar(value: Any) -> str:
    """JSON, with a point in every exponent: YAML 1.1 reads 1e-05 as a word."""
    if isinstance(value, float) and "e" in repr(value):
        mantissa, _, exponent = repr(value).partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"
    return json.dumps(value, ensure_ascii=False)
