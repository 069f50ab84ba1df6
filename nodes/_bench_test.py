"""One test of a LoRA: pictures with and without it, the judgement, and the report on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from ._apply_stack import apply_stack
from ._bench_eyes import BUILT_IN, open_eyes
from ._bench_saved import Tested, free_folder
from ._bench_shoot import Shooting, Sitting, Studio, require
from ._types import StackRow

if TYPE_CHECKING:
    from PIL.Image import Image

NO_LORA = "None"
SQUARE, WIDE, BOTH = "1:1", "16:9", "1:1 and 16:9"
SHAPES = [SQUARE, WIDE, BOTH]
_PHOTO_PX = 1024
"""Longer side of a photo without a crop, as it is compared."""


@dataclass(frozen=True)
class Asked:
    """The settings of a test as the node has them."""

    suite: Any
    seed: int
    per_prompt: int
    shapes: str
    side_px: int
    how: host.Sampling
    negative: str = ""
    clip_model: str = BUILT_IN


def run_test(
    model: Any, clip: Any, vae: Any, stack: Sequence[StackRow], asked: Asked, dataset: Any, name: str
) -> Tested:
    """Take the pictures, judge and save them. A run that is stopped saves what it has.

    Raises:
        BadInputError: something is not connected, there is no LoRA to test, or the name leaves the folder.
    """
    if not stack:
        raise BadInputError(say("node.none_to_test"))
    free_folder(name)  # before an hour of sampling
    shots, photos = plan(asked, dataset), reference_of(dataset)
    require(model, clip, vae)
    with_lora = Sitting(say("report.with_lora"), *apply_stack(model, clip, stack, 1.0)[:2])
    sittings = [Sitting(say("node.without_lora"), model, clip), with_lora]
    shooting = Shooting(shots, sittings, Studio(vae, asked.how, asked.negative))
    try:
        shooting.run()
    finally:
        if len(shooting.made) == 2 and 0 < len(shooting.made[1]) < len(shots):
            _judged(shooting, asked, stack, dataset, photos, f"{name}_stopped")
    return _judged(shooting, asked, stack, dataset, photos, name)


def trained_side_px(dataset: Any) -> int:
    """The resolution that the photos are trained at.

    Raises:
        BadInputError: there are no photos, or they are not cropped.
    """
    from ..lora_train.crop import resolution_of

    if not dataset or not dataset.sizes:
        raise BadInputError(say("node.side_unknown"))
    return resolution_of(dataset.sizes)


def plan(asked: Asked, dataset: Any) -> Sequence[Any]:
    """Every picture that is to be taken: prompt, seed, size.

    Raises:
        BadInputError: no suite is connected, or there is nothing to take the size from.
    """
    from ..lora_train.evaluation.bench import plan_shots, sizes_for

    if asked.suite is None:
        raise BadInputError(say("node.no_suite"))
    square, wide = sizes_for(asked.side_px or trained_side_px(dataset), True)[:2]
    sizes = {SQUARE: (square,), WIDE: (wide,), BOTH: (square, wide)}[asked.shapes]
    return plan_shots(asked.suite, per_prompt=asked.per_prompt, first_seed=asked.seed, sizes=sizes)


def stack_of(stack: Sequence[StackRow] | None, lora_name: str, strength: float = 1.0) -> list[StackRow]:
    """The stack, and the LoRA chosen by name on top at strength 1; all times ``strength``."""
    rows = [*(stack or ()), *([] if lora_name == NO_LORA else [(lora_name, 1.0, 1.0)])]
    return [(name, round(model * strength, 4), round(text * strength, 4), *more) for name, model, text, *more in rows]  # type: ignore[misc]


@dataclass(frozen=True)
class Reference:
    """The training pictures, and how they are called; empty without a dataset."""

    pictures: Sequence[Image] = ()
    names: Sequence[str] = ()

    @property
    def asked(self) -> dict[str, Any]:
        """As the judging functions take them."""
        return {"reference": self.pictures or None, "photo_names": self.names or None}


def reference_of(dataset: Any) -> Reference:
    """The kept photos as they are trained; those without a crop whole."""
    from ..lora_train.crop import render_picture

    entries = [] if dataset is None else list(dataset.kept)
    return Reference([render_picture(entry, _PHOTO_PX) for entry in entries], [entry.name for entry in entries])


def words_of(dataset: Any) -> tuple[str, str]:
    """Trigger and class word; empty without a dataset."""
    return getattr(dataset, "trigger", ""), getattr(dataset, "class_word", "")


def title_of(stack: Sequence[StackRow]) -> str:
    """The tested LoRAs in a few words."""
    return " + ".join(f"{Path(name.replace(chr(92), '/')).stem} {model:g}" for name, model, _ in stack)


def _judged(
    shooting: Shooting, asked: Asked, stack: Sequence[StackRow], dataset: Any, photos: Reference, name: str
) -> Tested:
    from ..lora_train.evaluation.bench import judge_test, save_report

    base, made = shooting.made
    host.HostObserver().say(say("node.looking"))
    trigger, class_word = words_of(dataset)
    count = len(made)
    report = judge_test(
        shooting.shots[:count], made, base[:count], **photos.asked,
        **open_eyes(asked.clip_model, asked.suite.purpose), purpose=asked.suite.purpose, suite=asked.suite.id,
        trigger=trigger, class_word=class_word, lora=title_of(stack), strength=stack[0][1],
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"), observer=host.HostObserver(),
    )  # fmt: skip
    folder = free_folder(name)
    save_report(report, folder, made, base[:count])
    return Tested(folder.name, folder, report, made, base[:count], tuple(stack), shooting.sampled)
